-- Every policy names its role and its one command.
--
-- One for PUBLIC binds roles that are made later; one for all commands grants writing along with reading.
select policies.polrelid::regclass || ' ' || policies.polname as found
from pg_policy as policies
where policies.polroles = '{0}'
  or policies.polcmd = '*';
