-- The views with their columns in order. A column can't be null if the column of its name in the table below can't.
select
  views.relname::text as name,
  coalesce(obj_description(views.oid, 'pg_class'), '') as comment,
  has_table_privilege('authenticated', views.oid, 'delete') as is_deletable,
  array(
    select roles.name
    from unnest(array['anon', 'authenticated', 'service_role']) as roles (name)
    where has_any_column_privilege(roles.name, views.oid, 'select')
  ) as roles,
  (
    select jsonb_agg(
      jsonb_build_object(
        'name', columns.attname,
        'type', format_type(columns.atttypid, null),
        'comment', coalesce(col_description(views.oid, columns.attnum), ''),
        'is_insertable', has_column_privilege('authenticated', views.oid, columns.attnum, 'insert'),
        'is_nullable', not exists (
          select
          from pg_rewrite as rules
          inner join pg_depend as uses
            on uses.classid = 'pg_rewrite'::regclass
            and uses.objid = rules.oid
            and uses.refclassid = 'pg_class'::regclass
            and uses.refobjid <> views.oid
          inner join pg_attribute as below
            on below.attrelid = uses.refobjid
            and below.attnum = uses.refobjsubid
            and below.attname = columns.attname
            and below.attnotnull
          where rules.ev_class = views.oid
        )
      )
      order by columns.attnum
    )
    from pg_attribute as columns
    where columns.attrelid = views.oid
      and columns.attnum > 0
      and not columns.attisdropped
  ) as columns
from pg_class as views
where views.relnamespace = 'api'::regnamespace
  and views.relkind = 'v'
order by views.relname
