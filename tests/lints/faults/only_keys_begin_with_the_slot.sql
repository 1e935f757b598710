-- finds: app.feedback_twin_idx
create index feedback_twin_idx on app.feedback (campus_id, time_slot, rating);
