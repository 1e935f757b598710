-- app.online_users(p_campus_id, p_user_id, p_user_ids): which of these circle-mates of a member are online.
--
-- Of who is no circle-mate, or walled off by either of the two, nothing is told: they look the same as who is offline.

create or replace function app.online_users(p_campus_id text, p_user_id uuid, p_user_ids uuid[])
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  return array(
    select distinct streams.user_id
    from events.streams
    inner join events.gateways
      on gateways.gateway = streams.gateway
      and gateways.renewed_at > clock_timestamp() - interval '1 minute'
    where streams.campus_id = p_campus_id
      and streams.user_id = any(p_user_ids)
      and streams.expires_at > clock_timestamp()
      and exists (
        select
        from app.circle_members as places
        inner join app.circle_members as mates
          on mates.campus_id = p_campus_id
          and mates.time_slot = places.time_slot
          and mates.circle_no = places.circle_no
          and mates.user_id = streams.user_id
          and mates.cancelled_at is null
        where places.campus_id = p_campus_id
          and places.user_id = p_user_id
          and places.cancelled_at is null
          and mates.user_id <> p_user_id
      )
      and not exists (
        select
        from app.blocks
        where blocks.campus_id = p_campus_id
          and (blocks.user_id, blocks.blocked_id) in ((p_user_id, streams.user_id), (streams.user_id, p_user_id))
      )
    order by streams.user_id
  );
end;
$function$;

comment on function app.online_users(text, uuid, uuid[]) is
'Which of these circle-mates of a member hold a stream. Refuses no_campus.';

revoke all on function app.online_users(text, uuid, uuid[]) from public;
