-- finds: app.newcomer()
-- finds: app.clock()
create function app.newcomer() returns integer language sql as 'select 1';
grant execute on function app.clock() to public;
