-- finds: app.campus_domains campus_domains_campus_id_fkey
-- finds: app.blocks blocks_blocked_fkey
drop index app.campus_domains_campus_id_idx;
drop index app.blocks_blocked_id_idx;
-- A partial index, or one that begins otherwise, does not help.
create index on app.campus_domains (campus_id) where domain <> '';
create index on app.blocks (blocked_id, created_at, campus_id);
