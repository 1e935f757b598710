-- Anybody who has the code signs in.

begin;
select plan(10);

select is_definer('api', 'verify_login_code', 'reaches what identity grants to its owner');
select volatility_is('api', 'verify_login_code', array['text', 'text'], 'volatile', 'writes');
select tests.may_call('api.verify_login_code(text, text)', array['anon', 'authenticated']);
select tests.create_member('ann');
select identity.add_key('tests', convert_to(repeat('k', 64), 'UTF8'));
create table tests.codes as select tests.login_code('ann@stanford.edu', clock_timestamp()) as code;
grant select on tests.codes to public;

select tests.act_as_role('anon');
select tests.denied(format('select api.verify_login_code(%L, %L)', 'ann@stanford.edu', tests.wrong_code(code)), '422', 'login_code_wrong', 'a wrong code') from tests.codes;
select tests.denied(format('select api.verify_login_code(%L, %L)', email, code), '422', 'login_code_wrong', 'null')
from (values (null, null), ('ann@stanford.edu', null), (null, '123456')) as bad (email, code);
select is(api.verify_login_code('ann@stanford.edu', code) ->> 'userId', tests.member('ann')::text, 'the right one') from tests.codes;
select tests.act_as_nobody();
select is((select tries_left from identity.login_codes), 3, 'two wrong tries were counted');
select cmp_ok(abs(extract(epoch from created_at - clock_timestamp())), '<', 5.0, 'in real time') from identity.sessions;

select * from finish();
rollback;
