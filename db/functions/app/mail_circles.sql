-- app.mail_circles(p_campus_id, p_time_slot, p_user_ids, p_pause): have these members told by e-mail what became of their places.
--
-- Only who wants mail, and not after the end. After a pause: mail must not compete with the stream, by which everybody hears
-- at once, and who changes their mind gets one mail instead of two.

create or replace function app.mail_circles(
  p_campus_id text, p_time_slot timestamptz, p_user_ids uuid[], p_pause interval default '10 seconds'
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_life       interval := (
    select slots.ends_at - app.clock()
    from app.time_slots as slots
    where slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
  );
  v_user_ids   uuid[];
  v_recipients text[];
begin
  if coalesce(v_life, '0') <= interval '0' then
    return;
  end if;

  select array_agg(users.user_id order by users.user_id), array_agg(users.email order by users.user_id)
  into v_user_ids, v_recipients
  from app.users
  where users.campus_id = p_campus_id
    and users.user_id = any(p_user_ids)
    and users.circle_mail;

  perform identity.queue_circle_mails(p_campus_id, p_time_slot, v_user_ids, v_recipients, v_life, p_pause);
end;
$function$;

comment on function app.mail_circles(text, timestamptz, uuid[], interval) is
'Put a mail about the circle for each of these members who wants one into the queue.';

revoke all on function app.mail_circles(text, timestamptz, uuid[], interval) from public;
