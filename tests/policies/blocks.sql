-- Whom one blocks, and never by whom one is blocked.

begin;
select plan(14);

select policies_are('app', 'blocks', array['own_blocks']);
select policy_roles_are('app', 'blocks', 'own_blocks', array['authenticated']);
select policy_cmd_is('app', 'blocks', 'own_blocks'::name, 'select');

select tests.create_member(name) from unnest('{ann,ben,fay}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.blocked('ann', 'ben');

select tests.act_as('ann');
select results_eq('select blocked_id from app.blocks', $$ values (tests.member('ben')) $$, 'Ann sees whom she blocks');
select throws_ok('delete from app.blocks', '42501', null, 'and unblocks by the function only');
select throws_ok($$ insert into app.blocks values ('stanford', tests.member('fay'), tests.member('ben')) $$, '42501', null, 'nor blocks for others');
select throws_ok('update app.blocks set created_at = now()', '42501', null, 'nor changes since when');
select tests.act_as('ben');
select is_empty('select from app.blocks', 'Ben never sees that he is blocked');
select tests.act_as('fay');
select is_empty('select from app.blocks', 'nor does anyone of the campus');
select tests.act_as('mia');
select is_empty('select from app.blocks', 'nor of another');
select tests.act_as(null);
select is_empty('select from app.blocks', 'nor a token that names nobody');
select tests.act_as_role('anon');
select throws_ok('select from app.blocks', '42501', null, 'a stranger may not look');
select tests.act_as_role('service_role');
select is((select count(*) from app.blocks), 1::bigint, 'a trusted server sees all');
select throws_ok('delete from app.blocks', '42501', null, 'and writes none');

select * from finish();
rollback;
