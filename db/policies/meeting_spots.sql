-- app.meeting_spots: requests read it through the functions only.

grant select on app.meeting_spots to service_role;
