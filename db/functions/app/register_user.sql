-- app.register_user(p_email, p_display_name): the member with this address, registered first if new.
--
-- The campus follows from the e-mail domain, matched whole. Repeatable, and safe beside itself: the unique key
-- on the address decides; who loses takes back its line in the directory. A name given later changes nothing.

create or replace function app.register_user(p_email text, p_display_name text default null)
returns table (campus_id text, user_id uuid, created boolean)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_email     text := lower(btrim(p_email));
  v_campus_id text;
  v_user_id   uuid;
begin
  if v_email is null or position('@' in v_email) = 0 then
    perform app.refuse('email_invalid');
  end if;

  select domains.campus_id
  into v_campus_id
  from app.campus_domains as domains
  where domains.domain = split_part(v_email, '@', -1);

  if not found then
    perform app.refuse('email_domain_unknown');
  end if;

  select users.user_id
  into v_user_id
  from app.users
  where users.campus_id = v_campus_id
    and users.email = v_email;

  if found then
    return query values (v_campus_id, v_user_id, false);
    return;
  end if;

  v_user_id := gen_random_uuid();
  insert into app.user_campuses (user_id, campus_id)
  values (v_user_id, v_campus_id);

  begin
    -- The address is no name to show to others, not even its first half.
    insert into app.users (campus_id, user_id, email, display_name)
    values (v_campus_id, v_user_id, v_email, coalesce(btrim(p_display_name), 'New member'))
    on conflict on constraint users_campus_id_email_key do nothing;
  exception
    when check_violation then
      if v_email !~ '^[a-z0-9.!#$%&''*+/=?^_`{|}~-]{1,64}@[a-z0-9.-]+$' or length(v_email) > 254 then
        perform app.refuse('email_invalid');
      end if;
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
