-- A campus hears how many are on a list, as long as it is open.

begin;
select plan(6);

select is_definer('app', 'emit_counts', array['jsonb'], 'the worker has no right on the tables');
select tests.may_call('app.emit_counts(jsonb)', '{circle27_worker}');

select tests.create_member(name) from unnest('{ann,ben}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.joined(name, 'two') from unnest('{ann,ben}'::text[]) as names (name);
create function pg_temp.say()
returns void
language sql
as $$
  select app.emit_counts(jsonb_agg(jsonb_build_object('campusId', 'stanford', 'timeSlot', tests.slot(name))))
  from unnest('{two,five}'::text[]) as names (name)
$$;
select count(*) from tests.told() as before;

select pg_temp.say();
select results_eq(
  $$ select channel, event, payload ->> 'joined' from tests.told() order by 3 $$,
  $$ values ('campus:stanford', 'slot', '0'), ('campus:stanford', 'slot', '2') $$, 'one event for each slot');
select app.emit_counts('[{"campusId": "mit", "timeSlot": "2030-06-12T14:00:00-07:00"}]');
select is_empty('select * from tests.told()', 'none of what is no slot');
select tests.cancelled('two');
select count(*) from tests.told() as before;
select pg_temp.say();
select is(array_agg(payload ->> 'joined'), '{0}', 'none of one that was called off') from tests.told();
select app.emit_counts('[]');
select is_empty('select * from tests.told()', 'nothing, nothing');

select * from finish();
rollback;
