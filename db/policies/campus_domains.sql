-- app.campus_domains: requests read it through the functions only.

grant select on app.campus_domains to service_role;
