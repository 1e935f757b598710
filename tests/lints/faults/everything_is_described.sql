-- finds: app.silent
-- finds: app.silent.word
-- finds: app.quiet_seq
-- finds: api.hush()
-- finds: events
create table app.silent (word text);
create sequence app.quiet_seq;
comment on schema events is null;
create function api.hush() returns integer language sql as 'select 1';
