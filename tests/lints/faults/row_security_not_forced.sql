-- finds: app.feedback
alter table app.feedback force row level security;
