-- The function of the seed document, written from its table, beside ours: the same JSON in every case, on a campus in UTC.

begin;
select plan(4);

-- Theirs: naive timestamps, three look-ups, one decision. Method 7 as the document has it.
create function tests.seeds_button(p_user_id uuid, p_time_slot timestamp, p_current_time timestamp)
returns json
language plpgsql
stable
as $$
declare
  v_deadline  timestamp := p_time_slot - interval '1 hour';
  v_event_end timestamp := p_time_slot + interval '20 minutes';
  v_hour      text := to_char(p_time_slot - interval '1 hour', 'FMHH12AM');
  v_waiting   boolean := exists (
    select from app.waitlist_entries
    where user_id = p_user_id and time_slot = p_time_slot at time zone 'UTC' and left_at is null
  );
  v_circle    boolean := exists (
    select from app.circle_members where user_id = p_user_id and time_slot = p_time_slot at time zone 'UTC'
  );
  v_said      boolean := exists (
    select from app.feedback where user_id = p_user_id and time_slot = p_time_slot at time zone 'UTC'
  );
begin
  if p_current_time < v_deadline then
    return json_build_object(
      'buttonState', case when v_waiting then 'leave' else 'join' end,
      'buttonText', case when v_waiting then 'Can''t Go' else 'Join' end,
      'middleText', 'Decide by ' || v_hour, 'isDisabled', false
    );
  elsif p_current_time < v_event_end and v_circle then
    return json_build_object(
      'buttonState', 'confirmed', 'buttonText', 'Confirmed ✓', 'middleText', 'Confirmed at ' || v_hour, 'isDisabled', false
    );
  elsif p_current_time >= v_event_end and v_circle and not v_said then
    return json_build_object(
      'buttonState', 'feedback', 'buttonText', 'Feedback >', 'middleText', 'Confirmed at ' || v_hour, 'isDisabled', false
    );
  end if;
  return json_build_object(
    'buttonState', 'past', 'buttonText', 'Past', 'isDisabled', true,
    'middleText', case when v_circle and p_current_time >= v_event_end then 'Confirmed at ' else 'Closed at ' end || v_hour
  );
end;
$$;

-- Given a member of each kind in each of the three slots, and one that ends at noon and begins after midnight.
select tests.create_campus('greenwich', 'UTC');
select tests.create_member(name, 'greenwich') from unnest(array['stranger', 'waiting', 'gone', 'mate', 'critic']) as names (name);
select tests.create_slot(name, at, 'greenwich')
from (values ('eleven', time '11:00'), ('two', '14:00'), ('five', '17:00'), ('one at night', '01:00'), ('noon', '13:00')) as slots (name, at);

create temporary table cases as
select people.name as person, slots.name as slot, moments.after, slots.time_slot at time zone 'UTC' + moments.after as at
from unnest(array['stranger', 'waiting', 'gone', 'mate', 'critic']) as people (name)
cross join tests.slots
cross join unnest(array[
  '-3 hours', '-1 hour -1 us', '-1 hour', '-1 hour 1 us', '-1 us', '0', '20 minutes -1 us', '20 minutes', '20 minutes 1 us', '1 day'
]::interval[]) as moments (after);
create temporary view answers as
select
  cases.*,
  tests.seeds_button(tests.member(person), tests.slot(slot) at time zone 'UTC', at)::jsonb as theirs,
  api.get_button_state(tests.member(person), tests.slot(slot), at at time zone 'UTC')::jsonb as ours
from cases;
grant select on cases, answers to service_role;

select tests.joined(person, slots.name, person = 'gone')
from unnest(array['waiting', 'gone', 'mate', 'critic']) as people (person) cross join tests.slots;

-- Before the matching: nobody is in a circle, the list decides.
select set_config('role', 'service_role', true);
select is((select count(*) from answers where after < interval '-1 hour'), 50::bigint, 'fifty cases before the deadline');
select is_empty('select * from answers where theirs <> ours', 'while nobody is in a circle, both say the same at any time');

-- After it: two are in a circle, one of them has given feedback.
select set_config('role', 'none', true);
select tests.in_circle(person, slots.name) from unnest(array['mate', 'critic']) as people (person) cross join tests.slots;
select tests.gave_feedback('critic', slots.name) from tests.slots;
select set_config('role', 'service_role', true);
select is_empty($$ select * from answers where after >= interval '-1 hour' and theirs <> ours $$, 'from the deadline on, too');
select is(
  (select array_agg(distinct theirs ->> 'buttonState' order by theirs ->> 'buttonState') from answers),
  array['confirmed', 'feedback', 'join', 'leave', 'past'], 'and every button of the table was seen'
);

select * from finish();
rollback;
