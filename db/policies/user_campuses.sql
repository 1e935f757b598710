-- app.user_campuses: the directory; requests read it through the functions only.

grant select on app.user_campuses to service_role;
