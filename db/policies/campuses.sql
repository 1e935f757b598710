-- app.campuses: requests read it through the functions only.

grant select, insert, update, delete on app.campuses to service_role;
