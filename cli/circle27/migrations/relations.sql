-- The relations of this database, other than the server's and Sqitch's own; of an index also its table.
select classes.oid::bigint, format('%I.%I', namespaces.nspname, classes.relname), indexes.indrelid::bigint
from pg_catalog.pg_class as classes
inner join pg_catalog.pg_namespace as namespaces on namespaces.oid = classes.relnamespace
left join pg_catalog.pg_index as indexes on indexes.indexrelid = classes.oid
where classes.oid >= 16384 and namespaces.nspname !~ '^pg_' and namespaces.nspname <> 'sqitch'
