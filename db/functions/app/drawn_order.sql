-- app.drawn_order(p_campus_id, p_time_slot, p_seed): who is on the list of a slot, in the order that this seed draws.
--
-- Entries stay as they were at the deadline: so a slot of the past gives the same order again.

create or replace function app.drawn_order(p_campus_id text, p_time_slot timestamptz, p_seed bigint)
returns uuid[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  return array(
    select entries.user_id
    from app.waitlist_entries as entries
    where entries.campus_id = p_campus_id
      and entries.time_slot = p_time_slot
      and entries.left_at is null
    order by hashtextextended(entries.user_id::text, p_seed), entries.user_id
  );
end;
$function$;

comment on function app.drawn_order(text, timestamptz, bigint) is
'The members on the list of a slot, in the order that this seed draws.';

revoke all on function app.drawn_order(text, timestamptz, bigint) from public;
