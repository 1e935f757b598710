-- No foreign key sets null or cascades updates.
--
-- A null campus belongs nowhere, and a key that changes would move a row to another node.
select keys.conrelid::regclass || ' ' || keys.conname as found
from pg_constraint as keys
inner join pg_namespace as schemas on schemas.oid = keys.connamespace
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and keys.contype = 'f'
  and (keys.confdeltype in ('n', 'd') or keys.confupdtype <> 'a');
