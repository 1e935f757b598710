-- The locks on relations, other than the server's own, that this session holds.
select relation::bigint, mode
from pg_catalog.pg_locks
where pid = pg_backend_pid() and locktype = 'relation' and granted and relation >= 16384
