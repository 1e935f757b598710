-- All that a campus holds, counted.
select
  (select count(*) from app.users where users.campus_id = %(campus)s) as members,
  (select count(*) from app.time_slots as slots where slots.campus_id = %(campus)s) as slots,
  (select count(*) from app.waitlist_entries as entries where entries.campus_id = %(campus)s) as entries,
  (select count(*) from app.circles where circles.campus_id = %(campus)s) as circles,
  (select count(*) from app.circle_members as members where members.campus_id = %(campus)s) as places,
  (select count(*) from app.meetings where meetings.campus_id = %(campus)s) as pairs,
  (select count(*) from app.feedback where feedback.campus_id = %(campus)s) as feedback,
  (select count(*) from app.feedback_about as remarks where remarks.campus_id = %(campus)s) as remarks,
  (select count(*) from app.blocks where blocks.campus_id = %(campus)s) as blocks
