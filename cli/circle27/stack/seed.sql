-- The campus of the local stack, and its slots from the morning of today on. Repeatable.
select app.add_campus('stanford', 'Stanford University', 'America/Los_Angeles', array['stanford.edu']);
select app.open_time_slots(date_trunc('day', app.clock(), 'America/Los_Angeles'));
