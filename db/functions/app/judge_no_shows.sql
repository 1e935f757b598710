-- app.judge_no_shows(p_campus_id, p_time_slot, p_user_ids, p_now): who stayed away too often takes a break.
--
-- Called with those of whom somebody has just said that they did not come. Two circle-mates must say so before it is taken
-- for a fact (app.circle_members.attended); the third such fact of the last 30 days suspends for 7 days from joining. One
-- word against another suspends nobody, and an operator can lift it (api.suspend_user). Who gave up the place did not stay
-- away: the others were told. Lists and circles ahead are kept: leaving them takes the member's lock, which comes first.

create or replace function app.judge_no_shows(
  p_campus_id text, p_time_slot timestamptz, p_user_ids uuid[], p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_witnesses constant integer := 2;
  v_patience  constant integer := 3;
  v_memory    constant interval := interval '720 hours';
  v_break     constant interval := interval '168 hours';
  v_until     timestamptz := clock_timestamp() + v_break;
  v_user_id   uuid;
begin
  if p_user_ids = '{}' then
    return;
  end if;

  -- Two witnesses at the same moment would each see only themselves: one circle's are heard one after the other.
  perform
  from app.circles
  where circles.campus_id = p_campus_id
    and circles.time_slot = p_time_slot
    and circles.circle_no = (
      select places.circle_no
      from app.circle_members as places
      where places.campus_id = p_campus_id
        and places.time_slot = p_time_slot
        and places.user_id = p_user_ids[1]
    )
  for update;

  for v_user_id in
    with judged as (
      update app.circle_members as places
      set attended = false
      where places.campus_id = p_campus_id
        and places.time_slot = p_time_slot
        and places.user_id = any(p_user_ids)
        and places.cancelled_at is null
        and places.attended is distinct from false
        and (
          select count(*)
          from app.feedback_about as said
          where said.campus_id = p_campus_id
            and said.time_slot = p_time_slot
            and said.about_id = places.user_id
            and said.no_show
        ) >= v_witnesses
      returning places.user_id
    )

    select judged.user_id
    from judged
    order by judged.user_id  -- two circles with the same people in them never wait for each other
  loop
    -- Two meetings judged at the same moment would each not see what the other found: one after the other, too.
    perform
    from app.user_campuses as directory
    where directory.user_id = v_user_id
    for no key update;

    perform audit.record('user.stayed_away', p_campus_id, v_user_id, p_time_slot);

    if (
      select count(*)
      from app.circle_members as places
      where places.user_id = v_user_id
        and places.campus_id = p_campus_id
        and places.time_slot > p_now - v_memory
        and places.attended = false
    ) >= v_patience then
      update app.user_campuses as directory
      set suspended_until = v_until
      where directory.user_id = v_user_id
        and coalesce(directory.suspended_until, '-infinity') < v_until;

      if found then
        perform app.emit(
          p_campus_id, 'user:' || v_user_id, 'profile', app.profile(p_campus_id, v_user_id) - 'blocked'
        );
        perform audit.record(
          'user.suspended_by_rule', p_campus_id, v_user_id, null, jsonb_build_object('until', v_until, 'reason', 'no_shows')
        );
      end if;
    end if;
  end loop;
end;
$function$;

comment on function app.judge_no_shows(text, timestamptz, uuid[], timestamptz) is
'Take for a fact what two circle-mates said about staying away; the third time in the last 30 days suspends for 7 days.';

revoke all on function app.judge_no_shows(text, timestamptz, uuid[], timestamptz) from public;
