-- What stands for an address: always the same, for ever, and nothing that can be guessed from it.

begin;
select plan(9);

select is_definer('identity', 'address_pseudonym', array['text'], 'the app owner reads no key');
select tests.may_call('identity.address_pseudonym(text)', '{}');
create table tests.before as select identity.address_pseudonym('ann@stanford.edu') as address;

select matches((select address from tests.before), '^[0-9a-f]{64}@deleted\.invalid$', 'an address that the table takes and no mail reaches');
select is(identity.address_pseudonym('ann@stanford.edu'), (select address from tests.before), 'the same every time');
select isnt(identity.address_pseudonym('ben@stanford.edu'), (select address from tests.before), 'another for another');
select isnt((select address from tests.before), encode(sha256('address:ann@stanford.edu'), 'hex') || '@deleted.invalid', 'keyed: nobody can try addresses');
insert into identity.keys (key_id, purpose, secret) values ('refresh-2', 'refresh', sha256('new')), ('access-2', 'access', sha256('other'));
select is(identity.address_pseudonym('ann@stanford.edu'), (select address from tests.before), 'a newer key makes no stranger of who is gone');
update identity.keys set secret = sha256('changed') where key_id = 'refresh-1';
select isnt(identity.address_pseudonym('ann@stanford.edu'), (select address from tests.before), 'the first key decides');
select is(identity.address_pseudonym(null), null, 'nothing for nothing');

select * from finish();
rollback;
