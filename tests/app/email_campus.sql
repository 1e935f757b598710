-- The campus of an address: sane addresses only, the domain matched whole.

begin;
select plan(31);

select tests.may_call('app.email_campus(text)', array[]::text[]);
select function_privs_are('app', 'email_campus', array['text'], 'circle27_auth', array['EXECUTE'], 'identity functions ask it');
select tests.create_campus();
insert into app.campus_domains values ('cs.stanford.edu', 'stanford');

select is(app.email_campus(email), 'stanford', email)
from unnest(array[
  'ann@stanford.edu', 'ann@cs.stanford.edu', 'a.n-n+1_2@stanford.edu', 'o''neill@stanford.edu', repeat('a', 64) || '@stanford.edu',
  'why?=because@stanford.edu'
]) as good (email);
select tests.refused(format('select app.email_campus(%L)', email), 'PT422', slug, coalesce(quote_literal(left(email, 40)), 'null'))
from (values
  (null, 'email_invalid'), ('', 'email_invalid'), ('@stanford.edu', 'email_invalid'), ('ann', 'email_invalid'),
  ('ann@', 'email_invalid'), ('Ann@stanford.edu', 'email_invalid'), ('ann@stanford.edu.', 'email_invalid'),
  ('ann@stanford..edu', 'email_invalid'), ('ann@-stanford.edu', 'email_invalid'), ('ann@[127.0.0.1]', 'email_invalid'),
  ('ann@bob@stanford.edu', 'email_invalid'), (E'ann@stanford.edu\n', 'email_invalid'), (E'ann\t@stanford.edu', 'email_invalid'),
  ('<ann@stanford.edu>', 'email_invalid'), ('"a b"@stanford.edu', 'email_invalid'), ('änn@stanford.edu', 'email_invalid'),
  (repeat('a', 65) || '@stanford.edu', 'email_invalid'),
  ('a@' || repeat('a.', 125) || 'edu', 'email_invalid'),
  -- A mail's header would read them as another's (RFC 2047), and so might what a member meant.
  ('=?utf-8?q?ann?=@stanford.edu', 'email_invalid'), ('x=?utf-8?b?yw5u?=@stanford.edu', 'email_invalid'), ('=?@stanford.edu', 'email_invalid'),
  ('ann@math.stanford.edu', 'email_domain_unknown'), ('ann@notstanford.edu', 'email_domain_unknown')
) as bad (email, slug);

select * from finish();
rollback;
