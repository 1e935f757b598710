-- app.meetings: what matching avoids; no member reads it.

grant select on app.meetings to service_role;
