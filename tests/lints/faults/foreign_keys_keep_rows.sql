-- finds: app.campus_domains campus_domains_null_fkey
-- finds: app.meeting_spots meeting_spots_moving_fkey
alter table app.campus_domains add constraint campus_domains_null_fkey foreign key (campus_id)
references app.campuses on delete set null;
alter table app.meeting_spots add constraint meeting_spots_moving_fkey foreign key (campus_id)
references app.campuses on update cascade;
