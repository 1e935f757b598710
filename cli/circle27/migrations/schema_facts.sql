-- What our schemas are, one fact a row, read from the catalogue alone: any role may.
--
-- label:  the object as people say it: `table app.users`. Partitions of one table share one label, and in their facts
--         the name log_*: those that are added later are like the others.
-- actual: the same with the name of the partition.
-- fact:   a line of SQL, or two spaces and a part of the line above. Null: the object is in schema auth and not ours.
-- body:   a routine's text.
--
-- Expressions are printed without needless parentheses: those that a `between` leaves are lost by dump and restore.
--
-- The settings make one text of one schema, whatever the session's own are. Owners hold all rights on what is theirs,
-- so only what was taken from them is a fact; `maintain` is not counted, as only PostgreSQL 17 has it.

set local search_path = pg_catalog;
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local extra_float_digits = 1;
set local bytea_output = 'hex';
set local quote_all_identifiers = off;
set local standard_conforming_strings = on;
set local lock_timeout = '2s';  -- to show a view is to read its tables: some `alter table` may hold one

with schemas as (
  select
    oid, nspname, nspowner, nspacl,
    nspname <> 'auth'
    or nspowner::regrole::text = 'circle27_owner'
    or obj_description(oid, 'pg_namespace') like 'Circle27:%' as is_ours
  from pg_namespace
  where nspname in ('api', 'app', 'audit', 'auth', 'events', 'identity', 'ops')
),

objects as (
  select
    'pg_namespace'::regclass as class, oid, oid as schema_id, 'schema' as kind, oid::regnamespace::text as name,
    nspowner as owner, coalesce(nspacl, acldefault('n', nspowner)) as acl, acldefault('n', nspowner) as default_acl,
    null::regclass as parent
  from schemas
  union all
  select
    'pg_class'::regclass, relations.oid, relnamespace,
    case relkind
      when 'S' then 'sequence'
      when 'v' then 'view'
      when 'm' then 'materialized view'
      when 'f' then 'foreign table'
      when 'c' then 'type'
      else 'table'
    end,
    relations.oid::regclass::text, relowner, coalesce(relacl, defaults.acl), defaults.acl, inhparent
  from pg_class as relations
  cross join lateral acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner) as defaults (acl)
  left join pg_inherits on inhrelid = relations.oid and relispartition
  where relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c')
  union all
  select
    'pg_proc'::regclass, oid, pronamespace,
    case prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end,
    oid::regprocedure::text, proowner, coalesce(proacl, acldefault('f', proowner)), acldefault('f', proowner), null
  from pg_proc
  union all
  select
    'pg_type'::regclass, oid, typnamespace, 'type', oid::regtype::text, typowner,
    coalesce(typacl, acldefault('T', typowner)), acldefault('T', typowner), null
  from pg_type
  where typtype in ('d', 'e', 'r')
),

ours as (
  select
    objects.*, nspname as schema,
    case when parent is null then kind || ' ' || name else 'partitions of ' || parent::text end as label,
    kind || ' ' || name as actual,
    case when class = 'pg_class'::regclass and kind <> 'sequence' then name else kind || ' ' || name end as target,
    is_ours
    or owner::regrole::text = 'circle27_owner'
    or obj_description(objects.oid, class::text) like 'Circle27:%' as is_ours
  from objects
  join schemas on schemas.oid = schema_id
),

rights as (  -- of objects and columns: who may what
  select
    ours.class, ours.oid, 80 as position, entry.grantee, entry.is_grantable, lower(entry.privilege_type) as may
  from ours
  cross join lateral aclexplode(acl) as entry
  where entry.grantee <> owner
  union all
  select
    ours.class, ours.oid, 81, entry.grantee, entry.is_grantable,
    lower(entry.privilege_type) || ' (' || string_agg(quote_ident(attname), ', ' order by attnum) || ')'
  from ours
  join pg_attribute on class = 'pg_class'::regclass and attrelid = ours.oid
  cross join lateral aclexplode(attacl) as entry
  where entry.grantee <> owner
  group by ours.class, ours.oid, entry.grantee, entry.is_grantable, entry.privilege_type
),

facts as (
  select
    class, oid, 60 as position, '' as sorted_by,
    'alter ' || actual || ' owner to ' || owner::regrole::text || ';' as fact, null as body
  from ours
  union all
  select
    rights.class, rights.oid, rights.position, role.name || may,
    'grant ' || may || ' on ' || target || ' to ' || role.name
    || case when is_grantable then ' with grant option;' else ';' end,
    null
  from rights
  join ours using (class, oid)
  cross join lateral (select case grantee when 0 then 'public' else grantee::regrole::text end) as role (name)
  union all
  select
    class, oid, 82, privilege_type,
    'revoke ' || lower(privilege_type) || ' on ' || target || ' from ' || owner::regrole::text || ';', null
  from ours
  cross join lateral (
    select privilege_type from aclexplode(default_acl) where grantee = owner and privilege_type <> 'MAINTAIN'
    except
    select privilege_type from aclexplode(acl) where grantee = owner
  ) as taken

  -- Schemas, types, sequences.
  union all
  select class, oid, 0, '', 'create schema ' || name || ';', null
  from ours
  where kind = 'schema'
  union all
  select
    class, oid, 0, '',
    'create type ' || name || case typtype
      when 'e' then ' as enum ('
        || (
          select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder)
          from pg_enum
          where enumtypid = ours.oid
        )
        || ')'
      when 'd' then ' as ' || format_type(typbasetype, typtypmod)
        || coalesce(' default ' || typdefault, '') || case when typnotnull then ' not null' else '' end
      else ' as range'
    end || ';',
    null
  from ours
  join pg_type using (oid)
  where class = 'pg_type'::regclass
  union all
  select
    class, oid, 0, '',
    format(
      'create sequence %s as %s increment by %s minvalue %s maxvalue %s start with %s cache %s%s%s;',
      name, seqtypid::regtype, seqincrement, seqmin, seqmax, seqstart, seqcache,
      case when seqcycle then ' cycle' else ' no cycle' end,
      ' owned by ' || refobjid::regclass || '.' || quote_ident(attname)
    ),
    null
  from ours
  join pg_sequence on seqrelid = oid
  left join pg_depend
    on classid = class and objid = oid and deptype in ('a', 'i') and refclassid = class and refobjsubid > 0
  left join pg_attribute on attrelid = refobjid and attnum = refobjsubid
  where kind = 'sequence'

  -- Tables and views.
  union all
  select
    class, oid, part.position, '', part.fact, null
  from ours
  join pg_class using (oid)
  cross join lateral (
    values
    (0, 'create ' || case relpersistence when 'u' then 'unlogged ' else '' end || actual || ' ('),
    (
      30,
      case
        when relkind in ('v', 'm') then ')'
        when parent is not null then ') partition of ' || parent::text || ';'
        else ')' || coalesce(' partition by ' || pg_get_partkeydef(oid), '') || ';'
      end
    ),
    (31, case when relkind in ('v', 'm') then 'as' || E'\n' || pg_get_viewdef(oid, true) end),
    (61, 'alter ' || actual || ' set (' || array_to_string(reloptions, ', ') || ');'),
    (62, case when relrowsecurity then 'alter ' || actual || ' enable row level security;' end),
    (63, case when relforcerowsecurity then 'alter ' || actual || ' force row level security;' end)
  ) as part (position, fact)
  where class = 'pg_class'::regclass
    and kind <> 'sequence'
  union all
  select
    class, ours.oid, 10, to_char(attnum, '0000'),
    '  ' || quote_ident(attname) || ' ' || format_type(atttypid, atttypmod)
    || case when attcollation <> typcollation then ' collate ' || attcollation::regcollation else '' end
    || case attidentity when 'a' then ' generated always as identity' when 'd' then ' generated as identity' else '' end
    || case when attgenerated <> '' then ' generated as (' else coalesce(' default ' || expression, '') end
    || case when attgenerated <> '' then expression || ')' else '' end
    || case when attnotnull then ' not null,' else ',' end,
    null
  from ours
  join pg_attribute on attrelid = ours.oid and attnum > 0 and not attisdropped
  join pg_type on pg_type.oid = atttypid
  left join pg_attrdef on adrelid = attrelid and adnum = attnum
  cross join lateral pg_get_expr(adbin, adrelid) as expression
  where class = 'pg_class'::regclass
    and kind <> 'sequence'
  union all
  select
    class, ours.oid, 20, conname,
    '  constraint ' || quote_ident(conname) || ' ' || pg_get_constraintdef(con.oid, true) || ',', null
  from ours
  join pg_constraint as con
    on (class = 'pg_class'::regclass and conrelid = ours.oid) or (class = 'pg_type'::regclass and contypid = ours.oid)
  where contype not in ('n', 't')
  union all
  select
    class, ours.oid, 40, relname, index.fact, null
  from ours
  join pg_index on indrelid = ours.oid
  join pg_class on pg_class.oid = indexrelid
  cross join lateral (
    values
    (
      case
        when not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
          then 'create' || case when indisunique then ' unique' else '' end || ' index ' || quote_ident(relname)
            || regexp_replace(pg_get_indexdef(indexrelid, 0, true), '^.*? ON ', ' on ') || ';'
      end
    ),
    (case when not indisvalid then 'index ' || indexrelid::regclass || ' is not valid;' end)
  ) as index (fact)
  where class = 'pg_class'::regclass
  union all
  select
    class, ours.oid, 64, polname,
    'create policy ' || quote_ident(polname) || ' on ' || name
    || case when polpermissive then '' else ' as restrictive' end
    || ' for ' || case polcmd
      when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all'
    end
    || ' to ' || (
      select string_agg(role.name, ', ' order by role.name collate "C")
      from unnest(polroles) as grantee
      cross join lateral (select case grantee when 0 then 'public' else grantee::regrole::text end) as role (name)
    )
    || coalesce(E'\nusing (' || pg_get_expr(polqual, polrelid, true) || ')', '')
    || coalesce(E'\nwith check (' || pg_get_expr(polwithcheck, polrelid, true) || ')', '') || ';',
    null
  from ours
  join pg_policy on polrelid = ours.oid
  where class = 'pg_class'::regclass
  union all
  select
    class, ours.oid, 50, tgname, part.fact, null
  from ours
  join pg_trigger on tgrelid = ours.oid
  left join pg_constraint as con on con.oid = tgconstraint
  cross join lateral (
    values
    (
      case
        when not tgisinternal
          then regexp_replace(pg_get_triggerdef(pg_trigger.oid), '^CREATE (CONSTRAINT )?TRIGGER', 'create trigger')
            || ';'
      end
    ),
    (
      'alter ' || actual || case tgenabled
        when 'D' then ' disable' when 'R' then ' enable replica' when 'A' then ' enable always'
      end || ' trigger ' || case when tgisinternal then 'of ' || conname else quote_ident(tgname) end || ';'
    )
  ) as part (fact)
  where class = 'pg_class'::regclass
  union all
  select
    class, ours.oid, 51, rulename, regexp_replace(pg_get_ruledef(pg_rewrite.oid), '^CREATE RULE', 'create rule'), null
  from ours
  join pg_rewrite on ev_class = ours.oid and rulename <> '_RETURN'
  where class = 'pg_class'::regclass

  -- Routines.
  union all
  select
    class, ours.oid, part.position, '', part.fact, case when part.position = 0 and prosqlbody is null then prosrc end
  from ours
  join pg_proc using (oid)
  join pg_language on pg_language.oid = prolang
  cross join lateral (
    values
    (
      0,
      'create ' || kind || ' ' || pronamespace::regnamespace || '.' || quote_ident(proname)
      || '(' || pg_get_function_arguments(ours.oid) || ')'
    ),
    (1, '  returns ' || pg_get_function_result(ours.oid)),
    (2, '  language ' || lanname),
    (3, '  ' || case provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end),
    (4, case when proisstrict then '  strict' end),
    (5, case when proleakproof then '  leakproof' end),
    (6, '  parallel ' || case proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end),
    (7, '  security ' || case when prosecdef then 'definer' else 'invoker' end),
    (8, '  cost ' || nullif(procost, 100)),
    (9, '  rows ' || nullif(nullif(prorows, 0), 1000)),
    (11, pg_get_function_sqlbody(ours.oid))
  ) as part (position, fact)
  where class = 'pg_proc'::regclass
  union all
  select class, ours.oid, 10, setting, '  set ' || regexp_replace(setting, '=', ' = '), null
  from ours
  join pg_proc using (oid)
  cross join lateral unnest(proconfig) as setting
  where class = 'pg_proc'::regclass
),

defaults as (
  select
    'default privileges of ' || defaclrole::regrole as label,
    format(
      'alter default privileges for role %s%s %s on %s %s %s;',
      defaclrole::regrole, ' in schema ' || nullif(defaclnamespace, 0)::regnamespace, changed.verb,
      case defaclobjtype
        when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' else 'schemas'
      end,
      case when changed.verb like 'revoke%' then 'from' else 'to' end,
      case changed.grantee when 0 then 'public' else changed.grantee::regrole::text end
    ) as fact
  from pg_default_acl
  cross join lateral acldefault(
    case defaclobjtype when 'S' then 's' else defaclobjtype end, defaclrole
  ) as builtin (acl)
  cross join lateral (
    select 'grant ' || lower(privilege_type) as verb, grantee
    from aclexplode(defaclacl)
    where grantee <> defaclrole
    union all
    (
      select 'revoke ' || lower(privilege_type), grantee from aclexplode(builtin.acl)
      where defaclnamespace = 0 and privilege_type <> 'MAINTAIN'
      except
      select 'revoke ' || lower(privilege_type), grantee from aclexplode(defaclacl)
    )
  ) as changed
  where defaclrole::regrole::text in ('circle27_owner', 'circle27_auth', 'circle27_migrator')
    or defaclnamespace in (select oid from schemas where is_ours)
)

select
  label, actual,
  case
    when is_ours is not true then null
    else replace(
      case
        when parent is null then fact
        else replace(fact, split_part(name, '.', 2), split_part(parent::text, '.', 2) || '_*')
      end,
      E'\n', E'\n    '
    )
  end as fact,
  body
from (
  select ours.*, facts.position, facts.sorted_by, facts.fact, facts.body
  from ours
  join facts using (class, oid)
  where facts.fact is not null
  union all
  select
    null, null, null, 'default privileges', '', null, null, null, null, null, label, label, null, true,
    0, fact, fact, null
  from defaults
) as found
order by
  schema collate "C" nulls first,
  array_position(array['schema', 'type', 'sequence', 'table', 'view'], kind), actual collate "C", position,
  sorted_by collate "C"
