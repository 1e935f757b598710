-- Take away what a snapshot of functions and policies made, whatever its text was: read from the catalogue.
--
-- In the schemas of circle27.snapshot_owners ({"schema": "owner"}) sources make all routines, views, types, triggers,
-- policies and grants on relations; migrations make none. Tables, sequences, rights on schemas, and what belongs to
-- another role stay. Routines in circle27.snapshot_keep (an array of oids) stay too, but nobody may call them; those
-- that depend on what goes (a view in their signature) go with it.
--
-- Newest first, as what depends on a thing is mostly made after it; more rounds take the rest. What anything else
-- depends on ends this with an error that names both, unless circle27.snapshot_drop is `cascade`: for rehearsals only.

do $drop$
declare
  v_owners  jsonb := current_setting('circle27.snapshot_owners');
  v_keep    oid[] := current_setting('circle27.snapshot_keep');
  v_drop    text := current_setting('circle27.snapshot_drop');
  v_tables  text;
  v_thing   record;
  v_blocked oid[];
  v_dropped boolean;
  v_freed   oid[];
  v_message text;
  v_detail  text;
begin
  -- At once: the longer it takes from the first lock to the last, the more requests wait for one and hold another.
  select string_agg(relations.oid::regclass::text, ', ' order by relations.oid)
  into v_tables
  from pg_class as relations
  where v_owners ->> relations.relnamespace::regnamespace::text = relations.relowner::regrole::text
    and exists (select from pg_policy where polrelid = relations.oid);
  if v_tables is not null then
    execute format('lock table only %s in access exclusive mode', replace(v_tables, ', ', ', only '));
  end if;

  for v_thing in
    select distinct
      rights.kind,
      rights.name,
      case when rights.grantee = 0 then 'public' else rights.grantee::regrole::text end as role
    from (
      select
        case when relations.relkind = 'S' then 'sequence' else 'table' end as kind,
        relations.oid::regclass::text as name,
        relations.relnamespace as schema,
        relations.relowner as owner,
        entry.grantee
      from pg_class as relations
      cross join lateral aclexplode(relations.relacl) as entry
      union all
      select
        'table', relations.oid::regclass::text, relations.relnamespace, relations.relowner, entry.grantee
      from pg_class as relations
      join pg_attribute as columns on columns.attrelid = relations.oid
      cross join lateral aclexplode(columns.attacl) as entry
      union all
      select
        'routine', routines.oid::regprocedure::text, routines.pronamespace, routines.proowner, entry.grantee
      from pg_proc as routines
      cross join lateral aclexplode(routines.proacl) as entry
      where routines.oid = any(v_keep)
    ) as rights
    where v_owners ->> rights.schema::regnamespace::text = rights.owner::regrole::text
      and rights.grantee <> rights.owner
  loop
    execute format('revoke all on %s %s from %s', v_thing.kind, v_thing.name, v_thing.role);
  end loop;

  loop
    v_blocked := '{}';
    v_dropped := false;

    for v_thing in
      select things.oid, named.type, named.identity
      from (
        select 'pg_proc'::regclass as catalogue, oid, pronamespace as schema, proowner as owner
        from pg_proc
        where oid <> all(v_keep)
        union all
        select 'pg_class'::regclass, oid, relnamespace, relowner
        from pg_class
        where relkind = 'v'
        union all
        select 'pg_type'::regclass, types.oid, types.typnamespace, types.typowner
        from pg_type as types
        left join pg_class as relations on relations.oid = types.typrelid
        where types.typtype in ('d', 'e', 'r')
          or relations.relkind = 'c'
        union all
        select 'pg_trigger'::regclass, triggers.oid, relations.relnamespace, relations.relowner
        from pg_trigger as triggers
        join pg_class as relations on relations.oid = triggers.tgrelid
        where not triggers.tgisinternal
          and triggers.tgparentid = 0
        union all
        select 'pg_policy'::regclass, policies.oid, relations.relnamespace, relations.relowner
        from pg_policy as policies
        join pg_class as relations on relations.oid = policies.polrelid
      ) as things
      cross join lateral pg_identify_object(things.catalogue, things.oid, 0) as named
      where v_owners ->> things.schema::regnamespace::text = things.owner::regrole::text
      order by things.oid desc
    loop
      begin
        execute format('drop %s %s %s', v_thing.type, v_thing.identity, v_drop);
        v_dropped := true;
      exception
        when dependent_objects_still_exist then
          get stacked diagnostics v_message = message_text, v_detail = pg_exception_detail;
          v_blocked := v_blocked || v_thing.oid;
        when undefined_object or undefined_function or undefined_table then
          null;  -- it went with what it belonged to: a trigger with its view
      end;
    end loop;

    exit when v_blocked = '{}';
    continue when v_dropped;

    -- A view stands in a signature by its row type, a type also by its array type.
    v_blocked := v_blocked || array(select oid from pg_type where typrelid = any(v_blocked));
    v_blocked := v_blocked || array(select oid from pg_type where typelem = any(v_blocked));
    v_freed := array(
      select objid
      from pg_depend
      where classid = 'pg_proc'::regclass
        and objid = any(v_keep)
        and refclassid in ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_class'::regclass)
        and refobjid = any(v_blocked)
    );
    if v_freed = '{}' then
      raise exception '%', v_message
      using
        errcode = 'dependent_objects_still_exist',
        detail = v_detail,
        hint = 'Only sources may depend on what sources make: take the other away, then try again.';
    end if;
    v_keep := array(select kept from unnest(v_keep) as kept where kept <> all(v_freed));
  end loop;
end;
$drop$;
