-- Revert circle27:schemas from pg

begin;

set local role circle27_auth;
drop schema audit;
drop schema identity;

set local role circle27_owner;
drop schema ops;
drop schema events;
drop schema app;
drop schema api;

commit;
