-- app.add_campus(p_campus_id, p_name, p_time_zone, p_email_domains, p_slot_times): add a campus.
--
-- Repeatable: the same values again change nothing. Other values for an existing campus are refused, never
-- taken silently: moving a time zone moves what every open slot's button says.

create or replace function app.add_campus(
  p_campus_id text,
  p_name text,
  p_time_zone text,
  p_email_domains text[],
  p_slot_times time[] default array['11:00', '14:00', '17:00']::time[]
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_domains text[] := array(
    select distinct lower(domains.domain) from unnest(p_email_domains) as domains (domain) order by 1
  );
  v_times   time[] := array(select distinct times.at from unnest(p_slot_times) as times (at) order by 1);
  v_added   boolean;
begin
  -- A view over all zones' files, slow but exact; a campus is added once.
  if cardinality(v_domains) = 0
    or not exists (select from pg_timezone_names as zones where zones.name = p_time_zone) then
    perform app.refuse('campus_invalid');
  end if;

  begin
    insert into app.campuses (campus_id, name, time_zone, slot_times)
    values (p_campus_id, p_name, p_time_zone, v_times)
    on conflict on constraint campuses_pkey do nothing;
    v_added := found;
  exception
    when check_violation or not_null_violation then
      perform app.refuse('campus_invalid');
  end;

  if not v_added then
    if exists (
      select
      from app.campuses
      where campuses.campus_id = p_campus_id
        and campuses.name = p_name
        and campuses.time_zone = p_time_zone
        and campuses.slot_times = v_times
    ) and v_domains = array(
      select domains.domain from app.campus_domains as domains where domains.campus_id = p_campus_id order by 1
    ) then
      return p_campus_id;
    end if;
    perform app.refuse('campus_exists');
  end if;

  begin
    insert into app.campus_domains (domain, campus_id)
    select domains.domain, p_campus_id
    from unnest(v_domains) as domains (domain);
  exception
    when unique_violation then
      perform app.refuse('email_domain_taken');
    when check_violation or not_null_violation then
      perform app.refuse('campus_invalid');
  end;

  perform audit.record(
    'campus.added', p_campus_id, null, null,
    jsonb_build_object('timeZone', p_time_zone, 'emailDomains', v_domains, 'slotTimes', v_times)
  );
  return p_campus_id;
end;
$function$;

comment on function app.add_campus(text, text, text, text[], time[]) is
'Add a campus; the same values again change nothing. Refuses campus_invalid, campus_exists, email_domain_taken.';

revoke all on function app.add_campus(text, text, text, text[], time[]) from public;
