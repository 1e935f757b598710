-- finds: app.feedback_user_id_idx1
-- finds: app.clock_offset clock_offset_user_fkey
create unique index feedback_user_id_idx1 on app.feedback (user_id, time_slot);
alter table app.clock_offset add user_id uuid, add constraint clock_offset_user_fkey foreign key (user_id)
references app.user_campuses (user_id);
