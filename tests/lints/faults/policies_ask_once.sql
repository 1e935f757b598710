-- finds: app.feedback bare
-- finds: app.blocks by_setting
-- finds: app.users mixed
-- finds: app.circles each_row
create policy bare on app.feedback for select to authenticated using (user_id = auth.uid());
create policy by_setting on app.blocks for delete to authenticated
using (user_id = current_setting('request.jwt.claim.sub')::uuid);
create policy mixed on app.users for update to authenticated
using (user_id = (select auth.uid())) with check (user_id = auth.uid());
create policy each_row on app.circles for select to authenticated using (app.my_id() is not null);
