-- Verify circle27:time_slots on pg

begin;

set local role circle27_owner;

select campus_id, time_slot, deadline_at, ends_at, matched_at, cancelled_at, version, match_seed, match_report
from app.time_slots
where false;

select campus_id, time_slot, user_id, joined_at, left_at, version from app.waitlist_entries where false;

select campus_id, time_slot, circle_no, spot_id, ends_at, called_off from app.circles where false;

select campus_id, time_slot, user_id, circle_no, cancelled_at, attended from app.circle_members where false;

select campus_id, time_slot, user_id, rating, comment, created_at from app.feedback where false;

select campus_id, time_slot, user_id, about_id, meet_again, no_show from app.feedback_about where false;

rollback;
