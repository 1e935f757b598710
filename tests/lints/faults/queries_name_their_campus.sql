-- finds: app.all_names users
-- finds: app.mates_anywhere mates
-- finds: app.leave_everywhere entries
create function app.all_names() returns setof text language plpgsql as $$ begin return query
select users.display_name from app.users where users.user_id = auth.uid(); end $$;
-- Each place counts: the first is bound, the second is not.
create function app.mates_anywhere(p_campus_id text) returns setof uuid language plpgsql as $$ begin return query
select mates.user_id from app.circle_members as mates where mates.campus_id = p_campus_id
union all select mates.user_id from app.circle_members as mates where mates.time_slot = '2030-01-01'; end $$;
create function app.leave_everywhere(p_user_id uuid) returns void language plpgsql as $$ begin
update app.waitlist_entries as entries set left_at = joined_at where entries.user_id = p_user_id; end $$;
-- This one says which: nothing to find. Nor in what stands in a comment.
create function app.all_here(p_campus_id text) returns setof uuid language plpgsql as $$ begin return query
-- select user_id from app.users as everybody
select users.user_id from app.users where users.campus_id = p_campus_id; end $$;
