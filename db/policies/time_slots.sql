-- app.time_slots: what is public of it comes from api.time_slots(); requests read it through the functions only.

grant select on app.time_slots to service_role;
