-- Who calls: the directory decides, and who is gone is nobody.

begin;
select plan(9);

select isnt_definer('app', 'current_member', array[]::text[], 'called from definers only');
select tests.may_call('app.current_member()', '{}');
select tests.create_member('ann');
select tests.create_member('mia', 'mit');
create function tests.caller(p_name text, p_changes jsonb default '{}') returns text language plpgsql as $$
begin
  perform set_config('request.jwt.claims', tests.claims(p_name, p_changes)::text, true);
  return (select format('%s %s %s', people.name, m.campus_id, m.time_zone) from app.current_member() as m inner join tests.people on people.user_id = m.user_id);
end $$;

select is(tests.caller('ann'), 'ann stanford America/Los_Angeles', 'Ann');
select tests.refused($$ select tests.caller('ann', '{"campus_id": "mit"}') $$, 'PT403', 'wrong_campus', 'a claim never decides the campus');
select tests.refused($$ select tests.caller(null) $$, 'PT401', 'not_signed_in', 'a token without sub');
select tests.refused($$ select tests.caller(null, '{"sub": "00000000-0000-4000-8000-000000000000"}') $$, 'PT403', 'no_campus', 'whom no campus knows');
update app.user_campuses set suspended_until = 'infinity';
select is(tests.caller('ann'), 'ann stanford America/Los_Angeles', 'who is suspended is still a member');
update app.user_campuses set closed_at = clock_timestamp() where user_id = tests.member('ann');
select tests.refused($$ select tests.caller('ann') $$, 'PT401', 'account_deleted', 'who has deleted the account is none');
select tests.refused($$ select tests.caller('ann', '{"campus_id": "mit"}') $$, 'PT401', 'account_deleted', 'and hears that first');

select * from finish();
rollback;
