-- The campus of the local stack, and its slots for the days ahead. Repeatable.
select app.add_campus('stanford', 'Stanford University', 'America/Los_Angeles', array['stanford.edu']);
select app.open_time_slots(app.clock());
