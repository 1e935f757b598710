-- Who has met whom is for the matching: no member reads it.

begin;
select plan(6);

select policies_are('app', 'meetings', array[]::name[]);
select tests.create_member('ann');
select tests.create_member('ben');
insert into app.meetings select 'stanford', min(user_id::text)::uuid, max(user_id::text)::uuid, 1, now() from tests.people;

select tests.act_as('ann');
select throws_ok('select from app.meetings', '42501', null, 'not even who has met');
select throws_ok('delete from app.meetings', '42501', null, 'and nobody forgets');
select tests.act_as_role('anon');
select throws_ok('select from app.meetings', '42501', null, 'a stranger may not look');
select tests.act_as_role('service_role');
select is((select count(*) from app.meetings), 1::bigint, 'a trusted server sees all');
select throws_ok('update app.meetings set meetings_count = 2', '42501', null, 'and writes none');

select * from finish();
rollback;
