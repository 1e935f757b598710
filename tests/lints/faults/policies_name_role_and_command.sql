-- finds: app.feedback open_to_all
-- finds: app.users all_at_once
create policy open_to_all on app.feedback for select using (false);
create policy all_at_once on app.users to authenticated using (false);
