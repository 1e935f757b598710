-- app.mail_slot(p_campus_id, p_time_slot): have everybody told by e-mail who has a place in a circle of this slot.
--
-- Who gave the place up was told then.
--
-- Definer: the identity functions, which run the queue, call it as circle27_auth, and read no table of the app.

create or replace function app.mail_slot(p_campus_id text, p_time_slot timestamptz)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
begin
  perform app.mail_circles(
    p_campus_id,
    p_time_slot,
    array(
      select places.user_id
      from app.circle_members as places
      where places.campus_id = p_campus_id
        and places.time_slot = p_time_slot
        and places.cancelled_at is null
    ),
    interval '0'
  );
end;
$function$;

comment on function app.mail_slot(text, timestamptz) is
'Put a mail for everybody who has a place in a circle of this slot, and wants one, into the queue.';

revoke all on function app.mail_slot(text, timestamptz) from public;
grant execute on function app.mail_slot(text, timestamptz) to circle27_auth;
