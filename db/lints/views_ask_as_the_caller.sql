-- Every view is security_invoker.
--
-- A plain view reads its tables as the view's owner, whom no policy binds: it would show everybody's rows.
select views.oid::regclass::text as found
from pg_class as views
inner join pg_namespace as schemas on schemas.oid = views.relnamespace
where pg_get_userbyid(schemas.nspowner) in ('circle27_owner', 'circle27_auth')
  and views.relkind in ('v', 'm')
  and not coalesce(views.reloptions @> array['security_invoker=true'], false);
