-- finds: app.diaries
create table app.diaries (campus_id text not null);
