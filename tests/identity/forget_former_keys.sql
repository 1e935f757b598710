-- Former keys go, the one that signs stays, and so does the one for refresh tokens.

begin;
select plan(7);

select tests.may_call('identity.forget_former_keys()', array[]::text[]);
select isnt_definer('identity', 'forget_former_keys', array[]::text[], 'for who deploys, and nobody else');
create function tests.keys_left() returns text language sql as $$ select string_agg(key_id, ' ' order by created_at) from identity.keys where purpose = 'access' $$;
select identity.add_key(name, convert_to(repeat(name, 20), 'UTF8')) from unnest('{a-01,b-01,c-01}'::text[]) as names (name);
select identity.add_key('b-01', convert_to(repeat('b-01', 20), 'UTF8'));  -- taken back into use
create table tests.others as select * from identity.keys where purpose <> 'access';

select is(identity.forget_former_keys(), 2, 'two go');
select is(tests.keys_left(), 'b-01', 'the one that signs stays');
select results_eq('select * from identity.keys where purpose <> ''access'' order by 1', 'select * from tests.others order by 1', 'keys for other things are none of this');
select is(identity.forget_former_keys(), 0, 'again: none');
delete from identity.keys where purpose = 'access';
select is(identity.forget_former_keys(), 0, 'nor where there is no key at all');

select * from finish();
rollback;
