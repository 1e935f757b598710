-- finds: audit.record(text,text,uuid,timestamp with time zone,jsonb,jsonb,jsonb)
-- finds: app.member_facts(uuid)
grant execute on function audit.record(text, text, uuid, timestamptz, jsonb, jsonb, jsonb) to circle27_monitor;
grant execute on function app.member_facts(uuid) to service_role;
