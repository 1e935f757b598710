-- What a member is told of the trail: everything about their own rows, and nobody's name.

begin;
select plan(13);

select is_definer('audit', 'member_trail', array['uuid', 'timestamp with time zone', 'integer'], 'the app owner does not read the trail');
select volatility_is('audit', 'member_trail', array['uuid', 'timestamp with time zone', 'integer'], 'stable', 'it only reads');
select tests.may_call('audit.member_trail(uuid, timestamptz, integer)', '{}');

-- Given Ann, who changed her name; an operator, a mate and a job that did something to her; and something of Ben's.
select tests.create_member(name) from unnest('{ann,ben,olga}'::text[]) as names (name);
select set_config('request.headers', '{"x-real-ip": "192.0.2.7", "x-request-id": "abc"}', true);
select set_config('request.jwt.claims', tests.claims('ann')::text, true);
select audit.record('profile.updated', 'stanford', tests.member('ann'), '2030-01-01', '{"changed": ["displayName"]}', '{"displayName": "A"}', '{"displayName": "B"}');
select set_config('request.jwt.claims', tests.claims('olga')::text, true);
select audit.record('user.suspended', 'stanford', tests.member('ann'));
select set_config('request.jwt.claims', tests.claims('ben')::text, true);
select audit.record('user.stayed_away', 'stanford', tests.member('ann'));
select audit.record('user.suspended_by_rule', 'stanford', tests.member('ann'));
select audit.record('user.reported', 'stanford', tests.member('ben'), null, jsonb_build_object('reportedId', tests.member('ann')));
select set_config('request.jwt.claims', '', true);
select audit.record('user.registered', 'stanford', tests.member('ann'));
select audit.record('session.begun', 'stanford', tests.member('ann'));
update audit.log set at = timestamptz '2030-01-01 00:00+00' + id * interval '1 second' from (select min(id) as first from audit.log) as f where true;
create function tests.lines(p_before timestamptz default 'infinity', p_limit integer default null) returns setof jsonb
language sql as $$ select jsonb_array_elements(audit.member_trail(tests.member('ann'), p_before, p_limit)) $$;

select results_eq($$ select l ->> 'action', l ->> 'by', l ->> 'address' from tests.lines() as l $$, $$ values
  ('session.begun', 'you', '192.0.2.7'), ('user.registered', 'system', null), ('user.suspended_by_rule', 'system', null), ('user.stayed_away', 'system', null),
  ('user.suspended', 'operator', null), ('profile.updated', 'you', '192.0.2.7') $$,
  'the newest first; an operator is not named, a mate not even hinted at, and from where only what she did herself');
select is(l - 'at' - 'timeSlot', '{"action": "profile.updated", "by": "you", "address": "192.0.2.7", "details": {"changed": ["displayName"]}, "old": {"displayName": "A"}, "new": {"displayName": "B"}}',
  'with old and new values') from tests.lines() as l where l ->> 'action' = 'profile.updated';
select is((select string_agg(distinct k, ' ' order by k) from tests.lines() as l cross join jsonb_object_keys(l) as k), 'action address at by details new old timeSlot', 'no other key: no id of anybody, no session, no request');
select is_empty(format('select from tests.lines() as l where l::text ~ %L', tests.member('olga') || '|' || tests.member('ben')), 'nobody else''s id is in it');

-- Pages.
select is((select count(*) from tests.lines('infinity', 3)), 3::bigint, 'so many at a time');
select results_eq($$ select l ->> 'action' from tests.lines((select (l ->> 'at')::timestamptz from tests.lines('infinity', 3) as l order by 1 limit 1), 2) as l $$,
  $$ values ('user.stayed_away'), ('user.suspended') $$, 'the next page begins where the last ended');
select is_empty('select from tests.lines(''-infinity'')', 'before all there is nothing');
select is(audit.member_trail(gen_random_uuid(), 'infinity', 10), '[]'::jsonb, 'of nobody there is nothing');
select is(audit.member_trail(null, 'infinity', 10), '[]'::jsonb, 'nor of null, though there are lines without a member');
select audit.erase(tests.member('ann'));
select is((select l -> 'old' from tests.lines() as l where l ->> 'action' = 'profile.updated'), 'null', 'what was erased is gone from it, the line is not');

select * from finish();
rollback;
