-- Deploy circle27:schemas to pg

begin;

set local role circle27_owner;

create schema api;
-- What clients see first: PostgREST takes title and description of its OpenAPI document from it.
comment on schema api is 'Circle27

What clients may call. An error is {code, message, details, hint}, and details is a stable slug. Every call may be repeated.
The reference with examples: docs/api.md; the errors: docs/error_codes.md; types: web/circle27.d.ts.';
grant usage on schema api to anon, authenticated, service_role;

create schema app;
comment on schema app is 'Tables and domain functions. Never looks at the token; takes campus, member and clock as arguments.';
-- Usage opens no door by itself: each function and table is granted by name. Requests need it for
-- app.pre_request() and for the tables behind the security_invoker views.
grant usage on schema app to anon, authenticated, service_role, circle27_worker, circle27_auth;

create schema events;
comment on schema events is 'The outbox: what has happened and is still to be told.';
grant usage on schema events to circle27_worker, circle27_monitor;

create schema ops;
comment on schema ops is 'Flags, limits, metrics and health.';
grant usage on schema ops to circle27_monitor;

set local role circle27_auth;

create schema identity;
comment on schema identity is 'Codes, sessions and keys. Owned apart, so that a fault in an app function reads no secret.';
-- Usage opens no door by itself: each function is granted by name, and no table is. authenticated: app.pre_request()
-- asks whether the session is over.
grant usage on schema identity to circle27_owner, authenticated, circle27_worker, circle27_monitor;

create schema audit;
comment on schema audit is 'Who did what to which row, when and from where. Append-only.';
grant usage on schema audit to circle27_owner, circle27_worker;

commit;
