-- app.register_user(p_email, p_display_name): the member with this address, registered first if new or gone.
--
-- The campus follows from the e-mail domain, matched whole. Repeatable, and safe beside itself: the unique key
-- on the address decides; who loses takes back its line in the directory. A name given later changes nothing.
--
-- Definer: identity functions, which have seen the proof of the address, call it as circle27_auth.

create or replace function app.register_user(p_email text, p_display_name text default null)
returns table (campus_id text, user_id uuid, created boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_email     text := lower(btrim(p_email));
  v_campus_id text;
  v_user_id   uuid;
begin
  v_campus_id := app.email_campus(v_email);  -- refuses email_invalid, email_domain_unknown

  select users.user_id
  into v_user_id
  from app.users
  where users.campus_id = v_campus_id
    and users.email = v_email;

  if found then
    return query values (v_campus_id, v_user_id, false);
    return;
  end if;

  begin
    -- Who deleted the account and comes back is the same member: what others have walled off stays so.
    -- The address is no name to show to others, not even its first half.
    update app.users
    set email = v_email, display_name = coalesce(btrim(p_display_name), 'New member')
    where users.campus_id = v_campus_id
      and users.email = identity.address_pseudonym(v_email)
    returning users.user_id into v_user_id;

    if found then
      update app.user_campuses as directory
      set closed_at = null
      where directory.user_id = v_user_id;

      perform audit.record('user.returned', v_campus_id, v_user_id);
      return query values (v_campus_id, v_user_id, true);
      return;
    end if;

    v_user_id := gen_random_uuid();
    insert into app.user_campuses (user_id, campus_id)
    values (v_user_id, v_campus_id);

    insert into app.users (campus_id, user_id, email, display_name)
    values (v_campus_id, v_user_id, v_email, coalesce(btrim(p_display_name), 'New member'))
    on conflict on constraint users_campus_id_email_key do nothing;
  exception
    when check_violation then
      perform app.refuse('display_name_invalid');
  end;

  if not found then
    delete from app.user_campuses as directory where directory.user_id = v_user_id;

    select users.user_id
    into strict v_user_id
    from app.users
    where users.campus_id = v_campus_id
      and users.email = v_email;

    return query values (v_campus_id, v_user_id, false);
    return;
  end if;

  perform audit.record('user.registered', v_campus_id, v_user_id);
  return query values (v_campus_id, v_user_id, true);
end;
$function$;

comment on function app.register_user(text, text) is
'The member with this e-mail address, registered first if new. Refuses email_invalid, email_domain_unknown, display_name_invalid.';

revoke all on function app.register_user(text, text) from public;
grant execute on function app.register_user(text, text) to circle27_auth;
