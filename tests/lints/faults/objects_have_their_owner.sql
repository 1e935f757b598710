-- finds: app.foreign_body
-- finds: app.made_by_hand()
-- finds: audit.record(text,text,uuid,timestamp with time zone,jsonb,jsonb,jsonb)
create sequence app.foreign_body;
create function app.made_by_hand() returns integer language sql as 'select 1';
alter function audit.record(text, text, uuid, timestamptz, jsonb, jsonb, jsonb) owner to circle27_owner;
