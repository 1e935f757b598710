-- A session's stream is told that it is over.

begin;
select plan(4);

select tests.may_call('app.emit_session_end(text, uuid)', array[]::text[]);
select is_definer('app', 'emit_session_end', 'identity functions write to no outbox');
select table_privs_are('events', 'outbox', 'circle27_auth', array[]::text[], 'by themselves');
select app.emit_session_end('stanford', '00000000-0000-4000-8000-0000000000AB');
select results_eq(
  'select * from tests.told()', $$ values ('session:00000000-0000-4000-8000-0000000000ab', 'session', '{"over": true}'::jsonb) $$,
  'on its channel, in lower case'
);

select * from finish();
rollback;
