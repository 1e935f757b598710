-- finds: app.feedback positive
alter table app.feedback add constraint positive check (rating > 0);
