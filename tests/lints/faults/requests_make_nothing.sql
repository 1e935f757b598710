-- finds: anon: temporary
-- finds: circle27_worker: create in app
do $$ begin execute format('grant temporary on database %I to anon', current_database()); end $$;
grant create on schema app to circle27_worker;
