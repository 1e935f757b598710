-- Authority is read from the table.

begin;
select plan(7);

select isnt_definer('app', 'is_operator', array['text', 'uuid'], 'called from definers only');
select tests.may_call('app.is_operator(text, uuid)', '{}');
select tests.create_member('ann');
select tests.create_member('pat', p_tier => 'pro');
select tests.create_member('olga', p_tier => 'operator');
select tests.create_campus('mit');
select is(app.is_operator('stanford', tests.member(name)), name = 'olga', name || ' ' || case name when 'olga' then 'is one' else 'is none' end)
from unnest('{ann,pat,olga}'::text[]) as names (name);
select is(app.is_operator('mit', tests.member('olga')), false, 'on another campus she is none');
select is(app.is_operator(null, null), false, 'nobody is none');

select * from finish();
rollback;
