-- Giving up a place: the caller's own, and nobody else's.

begin;
select plan(12);

select is_definer('api', 'cancel_place', array['timestamp with time zone'], 'members hold no right to write');
select volatility_is('api', 'cancel_place', array['timestamp with time zone'], 'volatile', 'it writes, so PostgREST refuses GET');
select tests.may_call('api.cancel_place(timestamptz)', '{authenticated}');

select tests.create_member(name) from unnest('{ann,ben,cas,dan,eva}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two') from unnest('{ann,ben,cas,dan}'::text[]) as names (name);
select tests.clock('13:30');

select tests.act_as('ann');
select is(api.get_button_state(tests.member('ann'), tests.slot('two'), null) ->> 'buttonState', 'confirmed', 'the button stays what Method 7 says');
select is(api.cancel_place(tests.slot('two')) ->> 'buttonState', 'past', 'Ann can''t come after all');
select is(api.cancel_place(tests.slot('two')) ->> 'buttonState', 'past', 'saying so twice changes nothing');
select tests.refused($$ select api.my_circle(tests.slot('two')) $$, 'PT404', 'no_circle', 'she is in no circle any more');
select is_empty($$ select from api.circle_members where user_id <> tests.member('ann') $$, 'and reads of nobody who is');
select isnt_empty($$ select from app.circle_members where user_id = tests.member('ann') and cancelled_at is not null $$, 'but of her own place, and that she gave it up');
select tests.act_as('ben');
select is(api.my_circle(tests.slot('two')) -> 'members' @> jsonb_build_array(jsonb_build_object('displayName', 'Ann')), false, 'nor do her mates find her there');
select tests.act_as('eva');
select tests.refused($$ select api.cancel_place(tests.slot('two')) $$, 'PT404', 'no_circle', 'who is in none gives up none');
select tests.act_as(null);
select tests.refused($$ select api.cancel_place(tests.slot('two')) $$, 'PT401', 'not_signed_in', 'a token that names nobody is refused');

select * from finish();
rollback;
