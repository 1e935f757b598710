-- The zone of a member's campus, for tokens that do not say it.

begin;
select plan(6);

select is_definer('app', 'member_time_zone', 'a request reads neither the directory nor the campuses');
select tests.may_call('app.member_time_zone(uuid)', '{authenticated}');

select tests.create_campus('tokyo', 'Asia/Tokyo');
select tests.create_member('ann');
select tests.create_member('yuki', 'tokyo');

select is(app.member_time_zone(tests.member('ann')), 'America/Los_Angeles', 'the campus of the member decides');
select is(app.member_time_zone(tests.member('yuki')), 'Asia/Tokyo', 'for each their own');
select is(app.member_time_zone(gen_random_uuid()), null, 'nobody has none');
select is(app.member_time_zone(null), null, 'nor has who is not named');

select * from finish();
rollback;
