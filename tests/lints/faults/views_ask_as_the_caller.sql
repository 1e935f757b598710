-- finds: api.everybody
-- finds: api.profiles
create view api.everybody as select users.email from app.users;
alter view api.profiles reset (security_invoker);
