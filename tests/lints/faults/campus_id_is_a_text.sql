-- finds: app.nowhere
-- finds: app.varying
create table app.nowhere (campus_id text);
create table app.varying (campus_id varchar(9) not null);
