-- Every foreign key has an index that begins with its columns.
--
-- Without one, deleting a member or a campus reads the whole table for each row, under locks.
select keys.conrelid::regclass || ' ' || keys.conname as found
from pg_constraint as keys
inner join pg_namespace as schemas on schemas.oid = keys.connamespace
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and keys.contype = 'f'
  and not exists (
    select
    from pg_index as indexes
    where indexes.indrelid = keys.conrelid
      and indexes.indpred is null
      -- The first columns of the index are those of the key, in any order.
      and (indexes.indkey::int2[])[0:cardinality(keys.conkey) - 1] @> keys.conkey
  );
