-- app.update_profile(p_campus_id, p_user_id, p_display_name, p_attributes, p_circle_mail): change what a member may change of themselves.
--
-- Null leaves as it is. Tier and address are no arguments: nobody can slip them in. Repeatable.

create or replace function app.update_profile(
  p_campus_id text, p_user_id uuid, p_display_name text, p_attributes jsonb, p_circle_mail boolean default null
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_name       text := btrim(p_display_name);
  v_attributes jsonb := nullif(p_attributes, 'null');
  v_old        jsonb;
  v_new        jsonb;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if length(v_name) not between 1 and 80 or v_name ~ '[[:cntrl:]]' then
    perform app.refuse('display_name_invalid');
  end if;
  if jsonb_typeof(v_attributes) <> 'object' or octet_length(v_attributes #>> '{}') > 4096 then
    perform app.refuse('attributes_invalid');
  end if;

  perform app.lock_member(p_user_id);  -- refuses account_deleted

  select
    jsonb_strip_nulls(jsonb_build_object(
      'displayName', case when users.display_name <> v_name then users.display_name end,
      'attributes', case when users.attributes <> v_attributes then users.attributes end,
      'circleMail', case when users.circle_mail <> p_circle_mail then users.circle_mail end
    )),
    jsonb_strip_nulls(jsonb_build_object(
      'displayName', case when users.display_name <> v_name then v_name end,
      'attributes', case when users.attributes <> v_attributes then v_attributes end,
      'circleMail', case when users.circle_mail <> p_circle_mail then p_circle_mail end
    ))
  into v_old, v_new
  from app.users
  where users.campus_id = p_campus_id
    and users.user_id = p_user_id;

  if not found then
    perform app.refuse('member_not_found');
  end if;
  if v_new <> '{}' then
    update app.users
    set display_name = coalesce(v_name, users.display_name),
      attributes = coalesce(v_attributes, users.attributes),
      circle_mail = coalesce(p_circle_mail, users.circle_mail)
    where users.campus_id = p_campus_id
      and users.user_id = p_user_id;
    perform app.emit(
      p_campus_id, 'user:' || p_user_id, 'profile', app.profile(p_campus_id, p_user_id) - 'blocked'
    );
    perform audit.record(
      'profile.updated', p_campus_id, p_user_id, null,
      jsonb_build_object('changed', array(select keys.key from jsonb_object_keys(v_new) as keys (key) order by keys.key desc)),
      v_old, v_new
    );
  end if;

  return app.profile(p_campus_id, p_user_id);
end;
$function$;

comment on function app.update_profile(text, uuid, text, jsonb, boolean) is
'Change a member''s display name, attributes and whether circles come by e-mail (null: as it is); returns the profile. Refuses no_campus, account_deleted, display_name_invalid, attributes_invalid, member_not_found.';

revoke all on function app.update_profile(text, uuid, text, jsonb, boolean) from public;
