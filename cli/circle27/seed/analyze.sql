-- What was loaded at once is known to the planner at once.
analyze app.user_campuses, app.users, app.time_slots, app.waitlist_entries, app.circles, app.circle_members,
app.meetings, app.feedback, app.feedback_about, app.blocks
