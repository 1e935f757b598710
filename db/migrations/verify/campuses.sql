-- Verify circle27:campuses on pg

begin;

set local role circle27_owner;

select
  campus_id, name, time_zone, slot_times, open_days_ahead, deadline_lead, duration,
  size_min, size_target, size_max, min_gap_days, mix_attribute, created_at
from app.campuses
where false;

select domain, campus_id from app.campus_domains where false;

select user_id, campus_id from app.user_campuses where false;

select campus_id, user_id, email, display_name, tier, attributes, created_at from app.users where false;

rollback;
