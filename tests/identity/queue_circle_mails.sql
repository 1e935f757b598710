-- Mails about circles: one that waits is enough, one on its way is followed by the news.

begin;
select plan(16);

select tests.may_call('identity.queue_circle_mails(text, timestamptz, uuid[], text[], interval, interval, timestamptz)', '{}');
select is_definer('identity', 'queue_circle_mails', 'the app has no right on the tables');

-- Given Ann and Ben in a circle at two (21:00 UTC).
select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_slot(name, at) from (values ('two', time '14:00'), ('five', '17:00')) as slots (name, at);
select tests.in_circle(name, 'two') from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.in_circle('ann', 'five');
create function tests.queues(p_later interval default '0', p_slot text default 'two') returns void language sql as $$
  select identity.queue_circle_mails('stanford', tests.slot(p_slot), array[tests.member('ann'), tests.member('ben')], '{ann@stanford.edu,ben@stanford.edu}', '80 minutes', '10 s', tests.noon(p_later))
$$;
create function tests.waiting() returns table (recipient text, attempts integer, due interval, life interval) language sql as $$
  select recipient, attempts, next_try_at - tests.noon(), expires_at - created_at from identity.mails where kind = 'circle' order by facts ->> 'timeSlot', recipient $$;
create function tests.taken(p_at interval, p_limit integer default 100) returns setof text language sql as $$
  select kind || ' ' || recipient || ' ' || attempt from identity.take_mails(p_limit, tests.noon(p_at)) $$;

select tests.queues();
select results_eq('select * from tests.waiting()', $$ values ('ann@stanford.edu', 0, interval '10 s', interval '80 min'), ('ben@stanford.edu', 0, '10 s', '80 min') $$, 'they are due ten seconds later, and of use until the end of the meeting');
set local timezone = 'Asia/Tokyo';
select tests.queues('5 s');
select results_eq('select * from tests.waiting()', $$ values ('ann@stanford.edu', 0, interval '10 s', interval '80 min'), ('ben@stanford.edu', 0, '10 s', '80 min') $$, 'news before that needs no second mail, whatever the caller''s zone');
select is_empty($$ select from tests.taken('9.999999 s') $$, 'not before');

-- Login codes first.
select identity.request_login_code('cas@stanford.edu', tests.noon('11 s'));
select results_eq($$ select tests.taken('12 s', 1) $$, array['login_code cas@stanford.edu 1'], 'who waits for a code is served first, though the others wait longer');
select results_eq($$ select tests.taken('12 s', 1) $$, array['circle ann@stanford.edu 1'], 'then the first of the others');

-- News while one is on its way.
select tests.queues('13 s');
select results_eq('select * from tests.waiting()', $$ values ('ann@stanford.edu', 2, interval '23 s', interval '80 min'), ('ben@stanford.edu', 0, '10 s', '80 min') $$, 'hers is another attempt');
select identity.mail_sent(mail_id, 1) from identity.mails where recipient = 'ann@stanford.edu';
select is((select count(*) from tests.waiting()), 2::bigint, 'so that it is not forgotten when the first was sent');
select results_eq($$ select tests.taken('22 s') $$, array['circle ben@stanford.edu 1'], 'nor sent too soon');
select results_eq($$ select tests.taken('23 s') $$, array['circle ann@stanford.edu 3'], 'but sent');
select identity.mail_sent(mail_id, attempts) from identity.mails;
select is_empty('select from tests.waiting()', 'once');

-- Another slot is another mail; one of no use is not sent.
select tests.queues();
select tests.queues('0', 'five');
select is((select count(*) from tests.waiting()), 4::bigint, 'one for each slot');
select is((select string_agg(taken, ', ') from tests.taken('1 min') as taken), 'circle ann@stanford.edu 1, circle ben@stanford.edu 1, circle ann@stanford.edu 1', 'who has no place there gets none');
select is_empty($$ select from tests.taken('80 min') $$, 'and after the end nobody');
select is_empty('select from tests.waiting()', 'they are forgotten');

select * from finish();
rollback;
