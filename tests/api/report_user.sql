-- A member tells the operators about a circle-mate. Its rules: tests/app/report_user.sql.

begin;
select plan(9);

select is_definer('api', 'report_user', array['timestamp with time zone', 'uuid', 'text', 'text'], 'members hold no right to write a table');
select tests.may_call('api.report_user(timestamptz, uuid, text, text)', '{authenticated}');
select tests.create_member(name) from unnest('{ann,ben,cas}'::text[]) as names (name);
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two') from unnest('{ann,ben}'::text[]) as names (name);

select tests.act_as('ann');
select is(api.report_user(tests.slot('two'), tests.member('ben'), 'fake') ->> 'reported', 'true', 'Ann reports Ben');
select tests.repeats('select api.report_user(tests.slot(''two''), tests.member(''ben''), ''fake'')', 'twice is once');
select throws_ok('select * from app.reports', '42501', null, 'and reads no report, not even her own row');
select is(jsonb_array_length(api.export_my_data() -> 'reports'), 1, 'but is told what she said');
select tests.act_as('ben');
select is(api.export_my_data() #>> '{reports}' || (api.my_trail() ->> 'trail'), '[][]', 'Ben learns nothing of it');
select tests.act_as('cas');
select tests.refused('select api.report_user(tests.slot(''two''), tests.member(''ben''), ''fake'')', 'PT404', 'not_a_mate', 'Cas was not there');
select tests.act_as(null);
select tests.refused('select api.report_user(tests.slot(''two''), tests.member(''ben''), ''fake'')', 'PT401', 'not_signed_in', 'nobody reports nobody');

select * from finish();
rollback;
