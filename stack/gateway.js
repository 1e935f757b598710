// njs for the gateway: what nginx's own directives can't say.

// Answers a request that PostgREST refused with 400, by asking once more.
//
// After PgBouncer was restarted each connection in PostgREST's pool fails once, and PostgREST 12 answers that
// with 400 and an empty "code". To the client this is an outage, not its mistake. nginx sees the status before
// the body, so it comes here with the request; the second answer tells which it was:
//   a real 400             the same 400 again, passed on as it is
//   the broken connection  503 with Retry-After, or whatever the now healthy connection says
// Asking twice is safe: nothing in the API has status 400 of its own, and a second call gives the same answer.
async function answer_400(r) {
  const path = encodeURI(r.uri.substring('/rest/v1/'.length));
  const again = await r.subrequest('/_again/' + path, { method: r.method, args: r.variables.args || '' });

  if (again.status >= 500 || (again.status === 400 && connection_was_broken(again.responseText))) {
    r.internalRedirect('@unavailable');
    return;
  }
  Object.keys(again.headersOut)
    .filter((name) => !/^(content-length|transfer-encoding|connection|date|server)$/i.test(name))
    .forEach((name) => { r.headersOut[name] = again.headersOut[name]; });
  r.return(again.status, again.responseBuffer);
}

function connection_was_broken(body) {
  try {
    return JSON.parse(body).code === '';
  } catch (e) {
    return false;
  }
}

export default { answer_400 };
