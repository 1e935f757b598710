-- app.feedback_about(p_campus_id, p_user_id, p_time_slot, p_about): what is said about circle-mates, checked and in order.
--
-- Null if anything in it is not allowed: another shape, an unknown key, someone twice, someone who was not in the circle,
-- and who did not come can't be wished to be met again. What says nothing about someone is left out.

create or replace function app.feedback_about(p_campus_id text, p_user_id uuid, p_time_slot timestamptz, p_about jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_about jsonb := coalesce(nullif(p_about, 'null'), '[]');
begin
  if jsonb_typeof(v_about) <> 'array' or jsonb_array_length(v_about) > 20 then
    return null;
  end if;
  if exists (
    select
    from jsonb_array_elements(v_about) as said (about)
    where not coalesce(
      jsonb_typeof(said.about) = 'object'
      and said.about - array['userId', 'meetAgain', 'noShow'] = '{}'
      and jsonb_typeof(said.about -> 'userId') = 'string'
      and jsonb_typeof(coalesce(said.about -> 'meetAgain', 'null')) in ('boolean', 'null')
      and jsonb_typeof(coalesce(said.about -> 'noShow', 'null')) in ('boolean', 'null')
      and (said.about -> 'noShow' is distinct from 'true' or coalesce(said.about -> 'meetAgain', 'null') = 'null')
      and exists (
        select
        from app.circle_members as own
        inner join app.circle_members as mates
          on mates.campus_id = p_campus_id
          and mates.time_slot = p_time_slot
          and mates.circle_no = own.circle_no
          and mates.user_id <> p_user_id
          and mates.user_id::text = lower(said.about ->> 'userId')
        where own.campus_id = p_campus_id
          and own.time_slot = p_time_slot
          and own.user_id = p_user_id
      ),
      false
    )
  ) or exists (
    select lower(said.about ->> 'userId')
    from jsonb_array_elements(v_about) as said (about)
    group by lower(said.about ->> 'userId')
    having count(*) > 1
  ) then
    return null;
  end if;

  return coalesce(
    (
      select jsonb_agg(
        jsonb_build_object(
          'userId', lower(said.about ->> 'userId'),
          'meetAgain', said.about -> 'meetAgain',
          'noShow', coalesce(nullif(said.about -> 'noShow', 'null'), 'false')
        )
        order by lower(said.about ->> 'userId')
      )
      from jsonb_array_elements(v_about) as said (about)
      where jsonb_typeof(said.about -> 'meetAgain') = 'boolean'
        or said.about -> 'noShow' = 'true'
    ),
    '[]'
  );
end;
$function$;

comment on function app.feedback_about(text, uuid, timestamptz, jsonb) is
'What a member says about circle-mates, checked and in order of their ids; null if it is not allowed.';

revoke all on function app.feedback_about(text, uuid, timestamptz, jsonb) from public;
