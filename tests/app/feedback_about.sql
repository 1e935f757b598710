-- What is said about circle-mates: only about them, each once, in one shape.

begin;
select plan(43);

select volatility_is('app', 'feedback_about', array['text', 'uuid', 'timestamp with time zone', 'jsonb'], 'stable', 'it only reads');
select tests.may_call('app.feedback_about(text, uuid, timestamptz, jsonb)', '{}');
select tests.may_call('app.stored_feedback_about(text, uuid, timestamptz)', '{}');

-- Given Ann's circle with Ben and Cas, who gave up the place; Dan in another circle, Eva in Ann's circle of another slot.
select tests.create_member(name) from unnest('{ann,ben,cas,dan,eva}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.create_slot('five', '17:00');
select tests.in_circle(name, 'two', case name when 'dan' then 2 else 1 end) from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.in_circle(name, 'five') from unnest('{ann,eva}'::text[]) as names (name);
update app.circle_members set cancelled_at = time_slot where user_id = tests.member('cas');
create function tests.about(p_about text, p_name text default 'ann') returns jsonb language sql as $$
  select app.feedback_about('stanford', tests.member(p_name), tests.slot('two'),
    (select replace(replace(replace(replace(replace(replace(p_about, '@ann', '"' || tests.member('ann') || '"'), '@ben', '"' || tests.member('ben') || '"'),
      '@BEN', '"' || upper(tests.member('ben')::text) || '"'), '@cas', '"' || tests.member('cas') || '"'), '@dan', '"' || tests.member('dan') || '"'),
      '@eva', '"' || tests.member('eva') || '"'))::jsonb)
$$;

-- Allowed: checked, and in one form.
select is(tests.about(said), tests.about(means), says)
from (values
  (null, '[]', 'nothing'),
  ('null', '[]', 'JSON''s null'),
  ('[{"userId": @ben}]', '[]', 'a mate of whom nothing is said is left out'),
  ('[{"userId": @ben, "meetAgain": null, "noShow": false}]', '[]', 'neither yes nor no, and was there: nothing said'),
  ('[{"userId": @ben, "meetAgain": true}]', '[{"userId": @ben, "meetAgain": true, "noShow": false}]', 'meet again'),
  ('[{"userId": @BEN, "meetAgain": false}]', '[{"userId": @ben, "meetAgain": false, "noShow": null}]', 'an id in capitals is the same id'),
  ('[{"userId": @cas, "noShow": true}]', '[{"userId": @cas, "meetAgain": null, "noShow": true}]', 'who gave up the place can be called a no-show'),
  ('[{"userId": @ben, "meetAgain": true}, {"userId": @cas, "noShow": true}]', '[{"userId": @cas, "noShow": true}, {"userId": @ben, "meetAgain": true}]', 'the order does not matter')
) as allowed (said, means, says);
select is(tests.about('[{"userId": @ben, "meetAgain": true}]'), jsonb_build_array(jsonb_build_object('userId', tests.member('ben'), 'meetAgain', true, 'noShow', false)), 'three keys for each');
select is(tests.about('[{"userId": @cas, "noShow": true}]'), jsonb_build_array(jsonb_build_object('userId', tests.member('cas'), 'meetAgain', null, 'noShow', true)), 'null where nothing is said');
select is(tests.about('[]'), '[]', 'an empty list is a list');
select is(tests.about('[' || repeat('{"userId": @ben},', 19) || '{"userId": @ben}]'), null, 'twenty times the same mate is not allowed');

-- Not allowed.
select is(tests.about(said), null, says || ' is not allowed')
from (values
  ('{}', 'an object'), ('"x"', 'a text'), ('7', 'a number'), ('true', 'a truth'),
  ('[7]', 'a list of numbers'), ('[null]', 'a list of nothing'), ('[[]]', 'a list of lists'), ('["x"]', 'a list of texts'), ('[{}]', 'nobody'),
  ('[{"meetAgain": true}]', 'an opinion on nobody'), ('[{"userId": null, "meetAgain": true}]', 'null as somebody'), ('[{"userId": 7}]', 'a number as somebody'),
  ('[{"userId": "x", "meetAgain": true}]', 'an id that is none'), ('[{"userId": "00000000-0000-4000-8000-000000000000"}]', 'an id of nobody'),
  ('[{"userId": @ann, "meetAgain": true}]', 'oneself'), ('[{"userId": @dan, "meetAgain": true}]', 'someone of another circle'), ('[{"userId": @eva}]', 'someone of another slot'),
  ('[{"userId": @ben}, {"userId": @ben}]', 'a mate twice'), ('[{"userId": @ben}, {"userId": @BEN, "noShow": true}]', 'a mate twice in two spellings'),
  ('[{"userId": @ben, "rating": 1}]', 'an unknown key'), ('[{"userId": @ben, "meetAgain": "yes"}]', 'a text for a truth'), ('[{"userId": @ben, "noShow": 1}]', 'a number for a truth'),
  ('[{"userId": @ben, "noShow": true, "meetAgain": true}]', 'wishing to meet a no-show again'), ('[{"userId": @ben, "noShow": true, "meetAgain": false}]', 'wishing not to'),
  ('[{"userId": @ben, "meetAgain": true}, 7]', 'one wrong among the right')
) as refused (said, says);
select is(tests.about('[{"userId": @ann, "meetAgain": true}]', 'dan'), null, 'nor does Dan say anything about Ann');
select is(tests.about('[{"userId": @ann, "meetAgain": true}]', 'eva'), null, 'nor does who was in no circle');
select is(app.feedback_about('mit', tests.member('ann'), tests.slot('two'), jsonb_build_array(jsonb_build_object('userId', tests.member('ben')))), null, 'nor anyone on another campus');

select * from finish();
rollback;
