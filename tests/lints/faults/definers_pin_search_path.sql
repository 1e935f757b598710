-- finds: app.my_mates()
-- finds: api.ready()
-- finds: api.my_profile()
alter function app.my_mates() reset search_path;
alter function api.ready() set search_path = '';
alter function api.my_profile() set search_path = pg_temp, pg_catalog;
