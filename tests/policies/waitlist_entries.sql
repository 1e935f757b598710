-- Own waitlist entries, and nobody else's.

begin;
select plan(12);

select policies_are('app', 'waitlist_entries', array['own_entries']);
select policy_roles_are('app', 'waitlist_entries', 'own_entries', array['authenticated']);
select policy_cmd_is('app', 'waitlist_entries', 'own_entries'::name, 'select');

select tests.create_member('ann');
select tests.create_member('ben');
select tests.create_slot('two', '14:00');
select tests.joined('ann', 'two');
select tests.joined('ben', 'two');

select tests.act_as('ann');
select results_eq('select user_id from app.waitlist_entries', $$ values (tests.member('ann')) $$, 'Ann sees her own entry');
select is_empty($$ select from app.waitlist_entries where user_id = tests.member('ben') $$, 'and not Ben''s');
select throws_ok($$ insert into app.waitlist_entries select * from app.waitlist_entries $$, '42501', null, 'joining goes through the function');
select throws_ok('update app.waitlist_entries set left_at = null', '42501', null, 'so does changing');
select throws_ok('delete from app.waitlist_entries', '42501', null, 'and leaving');
select tests.act_as(null);
select is_empty('select from app.waitlist_entries', 'a token that names nobody sees none');
select tests.act_as_role('anon');
select throws_ok('select from app.waitlist_entries', '42501', null, 'a stranger may not look');
select tests.act_as_role('service_role');
select is((select count(*) from app.waitlist_entries), 2::bigint, 'a trusted server sees all');
select throws_ok('delete from app.waitlist_entries', '42501', null, 'and joins and leaves through the functions, too');

select * from finish();
rollback;
