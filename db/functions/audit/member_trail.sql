-- audit.member_trail(p_user_id, p_before, p_limit): what was done to a member's rows, the newest first.
--
-- Who did it, in words: an operator's id is no member's business, nor is who said that they stayed away: what follows from a
-- rule was done by the system. From where, only where they did it themselves. Signing in is such a thing, though nobody had a
-- token yet: the code was the proof, and from where somebody signed in is what tells a member of a thief.
--
-- Definer: called by the api as circle27_owner, which does not read the trail.

create or replace function audit.member_trail(p_user_id uuid, p_before timestamptz, p_limit integer)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  return coalesce(
    (
      select jsonb_agg(
        jsonb_build_object(
          'at', lines.at,
          'action', lines.action,
          'timeSlot', lines.time_slot,
          'details', lines.details,
          'old', changes.old_values,
          'new', changes.new_values,
          'by', case
            when lines.actor_id = p_user_id or lines.action = 'session.begun' then 'you'
            when lines.actor_id is null or lines.action in ('user.stayed_away', 'user.suspended_by_rule') then 'system'
            else 'operator'
          end,
          'address', case
            when lines.actor_id = p_user_id or lines.action = 'session.begun' then lines.address
          end
        )
        order by lines.at desc, lines.id desc
      )
      from (
        select *
        from audit.log
        where log.user_id = p_user_id
          and log.at < p_before
        order by log.at desc, log.id desc
        limit p_limit
      ) as lines
      left join audit.changes on changes.id = lines.id
    ),
    '[]'
  );
end;
$function$;

comment on function audit.member_trail(uuid, timestamptz, integer) is
'What was done to a member''s rows before p_before, the newest first: [{at, action, timeSlot, details, old, new, by: you, operator or system, address}].';

revoke all on function audit.member_trail(uuid, timestamptz, integer) from public;
grant execute on function audit.member_trail(uuid, timestamptz, integer) to circle27_owner;
