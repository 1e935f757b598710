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
      -- An index of the rows that have a key at all will do: a look-up by the key implies it.
      and (
        indexes.indpred is null
        or exists (
          select
          from pg_attribute as columns
          where columns.attrelid = keys.conrelid
            and columns.attnum = any(keys.conkey)
            and pg_get_expr(indexes.indpred, indexes.indrelid) = format('(%I IS NOT NULL)', columns.attname)
        )
      )
      -- The first columns of the index are those of the key, in any order.
      and (indexes.indkey::int2[])[0:cardinality(keys.conkey) - 1] @> keys.conkey
  );
