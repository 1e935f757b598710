-- The campus follows from the address; a second call gives the same member.

begin;
select plan(15);

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

select * from finish();
rollback;
