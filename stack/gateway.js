// njs for the gateway: what nginx's own directives can't say.

import crypto from 'crypto';

const TIMEOUT_SECONDS = 3;  // db/roles.sql: no time-out of PostgreSQL is shorter, bar those on anon
const CLOCK_SKEW_SECONDS = 30;  // PostgREST's
const OVERLOAD = ['40P01', '55P03', '57014'];  // deadlock, lock time-out, statement time-out

// Answers a request that PostgREST refused with 400 or 500, by asking once more.
//
// After PgBouncer was restarted each connection in PostgREST's pool fails once, and PostgREST 12 answers that
// with 400 and an empty "code". To the client this is an outage, not its mistake. nginx sees the status before
// the body, so it comes here with the request; the second answer tells which it was:
//   a real 400             the same 400 again, passed on as it is
//   the broken connection  503 with Retry-After, or whatever the now healthy connection says
//   a deadlock             500: done by now, as a rule; if not, 503
//   our own mistake        the same 500 again, passed on as it is
// A time-out of PostgreSQL is a 500, too, and known by the time it took: it is overload, so 503, and not asked again.
// Asking twice is safe: nothing in the API has status 400 or 500 of its own, and a second call gives the same answer.
async function ask_again(r) {
  const failed = /500$/.test(r.variables.upstream_status);
  if (failed && Number(r.variables.upstream_response_time.split(/[ ,:]+/).pop()) >= TIMEOUT_SECONDS) {
    r.internalRedirect('@unavailable');
    return;
  }

  const path = encodeURI(r.uri.substring('/rest/v1/'.length));
  const again = await r.subrequest('/_again/' + path, { method: r.method, args: r.variables.args || '' });

  if (is_unavailable(again, failed)) {
    r.internalRedirect('@unavailable');
    return;
  }
  Object.keys(again.headersOut)
    .filter((name) => !/^(content-length|transfer-encoding|connection|date|server)$/i.test(name))
    .forEach((name) => { r.headersOut[name] = again.headersOut[name]; });
  r.return(again.status, again.responseBuffer);
}

function is_unavailable(answer, failed_before) {
  if (answer.status === 400) {
    return code_of(answer) === '';
  }
  return answer.status >= 500 && (!failed_before || answer.status > 500 || OVERLOAD.includes(code_of(answer)));
}

function code_of(answer) {
  try {
    return JSON.parse(answer.responseText).code;
  } catch (e) {
    return undefined;
  }
}

// Whether a query may keep the database busy for seconds: a regular expression (some take exponential time), or
// relations embedded in each other again and again (each one multiplies the rows; each takes one parenthesis, and
// a closing one that stands in quotes undoes nothing, so the opening ones are counted).
function query_is_costly(r) {
  let embedded = 0;
  let has_regex = false;
  r.variables.args.split('&').forEach((pair) => {
    const at = pair.indexOf('=');
    const name = text_of(pair.substring(0, at));
    const value = text_of(pair.substring(at + 1));
    if (name === 'select') {
      embedded += value.split('(').length - 1;
    } else if (/(^|\.)(and|or)$/.test(name)) {
      has_regex = has_regex || /\.i?match[.(]/.test(value);
    } else {
      has_regex = has_regex || /^(not\.)?i?match[.(]/.test(value);
    }
  });
  return has_regex || embedded > 3 ? '1' : '0';
}

function text_of(encoded) {
  return decodeURIComponent(encoded.replace(/\+/g, ' '));  // well-formed: the address was checked
}

// Who is asking, for the limits: '<tier> <who>'; '' for a trusted server, who has none. The tier is the token's word here
// (for the token's hour); where SQL counts, it is that of app.users.
function caller(r) {
  const claims = verified_claims(r.headersIn.Authorization || '', r.variables.jwt_keys.split(' '));
  if (claims.role === 'service_role') {
    return '';
  }
  if (claims.role === 'authenticated') {
    return (['pro', 'operator'].includes(claims.tier) ? claims.tier : 'user') + ' ' + claims.sub;
  }
  const is_login = /^\/rest\/v1\/rpc\/(request_login_code|verify_login_code|refresh_session)$/.test(r.uri);
  return (is_login ? 'login ' : 'anon ') + r.variables.client_network;
}

// The claims of a token that PostgREST will take, too, as far as it is HS256 and has not ended; {} for any other.
// Each key in base64url, as in PostgREST's set; while they are rotated there are two.
function verified_claims(authorization, keys) {
  const found = /^bearer +([\w-]+\.([\w-]+))\.([\w-]+)$/i.exec(authorization);
  if (found === null || !keys.some((key) => are_equal(signature(found[1], key), found[3]))) {
    return {};
  }
  const claims = JSON.parse(Buffer.from(found[2], 'base64url').toString());
  return claims.exp + CLOCK_SKEW_SECONDS > Date.now() / 1000 ? claims : {};
}

function signature(text, key) {
  return crypto.createHmac('sha256', Buffer.from(key, 'base64url')).update(text).digest('base64url');
}

// Takes the same time wherever the first difference is: a signature can't be guessed letter by letter.
function are_equal(a, b) {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) {
    difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  }
  return difference === 0;
}

// The first 64 bits of an IPv6 address: what one customer is given. An IPv4 address in its disguise stays one.
function ipv6_network(r) {
  const address = r.variables.remote_addr;
  const ipv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (ipv4 !== null) {
    return ipv4[1];
  }
  const halves = address.split('::');
  const head = halves[0] === '' ? [] : halves[0].split(':');
  const tail = halves.length < 2 || halves[1] === '' ? [] : halves[1].split(':');
  const zeros = Array(8 - head.length - tail.length).fill('0');
  return head.concat(zeros, tail).slice(0, 4).join(':') + '::/64';
}

export default { ask_again, query_is_costly, caller, ipv6_network };
