-- app.campuses: requests read it through the functions only.

grant select on app.campuses to service_role;
