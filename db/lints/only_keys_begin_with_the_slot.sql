-- Only a primary key begins with (campus_id, time_slot).
--
-- Where there are no statistics yet, its twin is taken for it and reads whole slots: docs/decisions, number 7.
select indexes.indexrelid::regclass::text as found
from pg_index as indexes
inner join pg_class as tables on tables.oid = indexes.indrelid
inner join pg_namespace as schemas on schemas.oid = tables.relnamespace
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and not indexes.indisprimary
  and array(
    select columns.attname
    from unnest(indexes.indkey::int2[]) with ordinality as keys (attnum, number)
    inner join pg_attribute as columns on columns.attrelid = tables.oid and columns.attnum = keys.attnum
    where keys.number <= 2
    order by keys.number
  ) = array['campus_id', 'time_slot']::name[];
