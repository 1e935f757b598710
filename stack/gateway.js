// njs for the gateway: what nginx's own directives can't say.

const TIMEOUT_SECONDS = 3;  // db/roles.sql: no time-out of PostgreSQL is shorter, bar those on anon
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
// relations embedded in each other again and again (each level multiplies the rows).
function query_is_costly(r) {
  const query = decodeURIComponent(r.variables.args);  // well-formed: the address was checked
  let depth = 0;
  for (let i = 0; i < query.length; i++) {
    depth += query[i] === '(' ? 1 : query[i] === ')' ? -1 : 0;
    if (depth > 3) {
      return '1';
    }
  }
  const has_regex = /=(not\.)?i?match[.(]/.test(query) || (/(^|[&.])(and|or)=/.test(query) && /\.i?match[.(]/.test(query));
  return has_regex ? '1' : '0';
}

export default { ask_again, query_is_costly };
