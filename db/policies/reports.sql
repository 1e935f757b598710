-- app.reports: operators read it through api.reports(); no member reads a row, not even their own.

grant select on app.reports to service_role;
