-- The campus follows from the address; a second call gives the same member.

begin;
select plan(25);

select tests.create_campus();
select results_eq($$ select campus_id, created from app.register_user(' Ann@Stanford.edu ') $$, $$ values ('stanford', true) $$, 'registered');
select results_eq($$ select created from app.register_user('ann@stanford.edu', 'Other') $$, $$ values (false) $$, 'known the second time');
select is((select count(*) from app.users), 1::bigint, 'one member');
select is((select count(*) from app.user_campuses), 1::bigint, 'one line in the directory');
select results_eq($$ select email, display_name, tier from app.users $$, $$ values ('ann@stanford.edu', 'New member', 'user') $$, 'with no part of the address as the name');
select is((select count(*) from audit.log where action = 'user.registered'), 1::bigint, 'once in the trail');

select tests.refused(format('select app.register_user(%L)', email), 'PT422', slug, coalesce(quote_literal(email), 'none'))
from (values
  (null, 'email_invalid'), ('', 'email_invalid'), ('ann', 'email_invalid'), ('a b@stanford.edu', 'email_invalid'),
  (E'a\r\nBcc: x@stanford.edu', 'email_invalid'), ('ann@@stanford.edu', 'email_invalid'),
  ('ann@cs.stanford.edu', 'email_domain_unknown'), ('ann@elsewhere.org', 'email_domain_unknown')
) as bad (email, slug);
select tests.refused($$ select app.register_user('ben@stanford.edu', E'B\nen') $$, 'PT422', 'display_name_invalid', 'a name has no control characters');

-- Who deleted the account and comes back is the same member, behind the same walls.
create table tests.gone as select user_id from app.register_user('gone@stanford.edu', 'Gone');
update app.user_campuses set suspended_until = 'infinity' where user_id = (select user_id from tests.gone);
insert into app.blocks (campus_id, user_id, blocked_id) select 'stanford', (select user_id from app.register_user('ann@stanford.edu')), user_id from tests.gone;
select app.delete_member('stanford', user_id) from tests.gone;
create table tests.other as select user_id from app.register_user('other@stanford.edu');
select app.delete_member('stanford', user_id) from tests.other;
select is_empty('select from app.users where email = ''gone@stanford.edu''', 'given one who is gone');
select tests.refused($$ select app.register_user('gone@stanford.edu', E'A\nB') $$, 'PT422', 'display_name_invalid', 'who comes back needs an allowed name, too');
select isnt(user_id, (select user_id from tests.gone), 'another address is another member') from app.register_user('gone2@stanford.edu');
select is(user_id::text || created, (select user_id from tests.gone) || 'true', 'the same address is the same member, and counts as new') from app.register_user(' Gone@Stanford.edu ');
select results_eq($$ select email, display_name, tier, attributes from app.users where user_id = (select user_id from tests.gone) $$, $$ values ('gone@stanford.edu', 'New member', 'user', '{}'::jsonb) $$, 'with nothing of what was personal');
select results_eq($$ select closed_at, suspended_until from app.user_campuses where user_id = (select user_id from tests.gone) $$, $$ values (null::timestamptz, 'infinity'::timestamptz) $$, 'open again, and suspended still');
select isnt((select closed_at from app.user_campuses where user_id = (select user_id from tests.other)), null, 'nobody else is back');
select is((select count(*) from app.blocks), 1::bigint, 'behind the same wall');
select is((select count(*) from audit.log where action = 'user.returned' and user_id = (select user_id from tests.gone)), 1::bigint, 'the trail says that somebody is back');
select is(created, false, 'and then is known') from app.register_user('gone@stanford.edu');

select * from finish();
rollback;
