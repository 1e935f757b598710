-- The names of oneself and of circle-mates, and never an address.

begin;
select plan(25);

select policies_are('app', 'users', array['own_row', 'circle_mates', 'open_account']);
select policy_roles_are('app', 'users', policy::name, array['authenticated']) from unnest('{own_row,circle_mates}'::text[]) as p (policy);
select policy_cmd_is('app', 'users', policy::name, 'select') from unnest('{own_row,circle_mates}'::text[]) as p (policy);
select column_privs_are('app', 'users', secret::name, 'authenticated', array[]::text[], secret || ' is granted to no member') from unnest('{email,tier,attributes,created_at}'::text[]) as secrets (secret);

-- Given Ann's circle with Ben, the other with Cas; Dan waits on the same list, Fay does not; Mia is of another campus.
select tests.create_member(name) from unnest('{ann,ben,cas,dan,fay}'::text[]) as names (name);
select tests.create_member('mia', 'mit');
select tests.create_slot('two', '14:00');
select tests.in_circle(name, 'two', circle) from (values ('ann', 1), ('ben', 1), ('cas', 2)) as places (name, circle);
select tests.joined('dan', 'two');

select tests.act_as('ann');
select results_eq('select display_name from app.users order by 1', array['Ann', 'Ben'], 'Ann sees herself and her circle-mate');
select throws_ok('select email from app.users', '42501', null, 'but no address, not even hers');
select throws_ok('select * from app.users', '42501', null, 'nor by accident');
select throws_ok('select display_name from app.users where email like ''ben%''', '42501', null, 'nor by asking around it');
select throws_ok('select attributes from app.users', '42501', null, 'nor what else there is about Ben');
select throws_ok($$ update app.users set tier = 'operator' $$, '42501', null, 'and can''t promote herself');
select tests.act_as('cas');
select results_eq('select display_name from app.users', array['Cas'], 'Cas, of the other circle, sees only Cas');
select tests.act_as('dan');
select results_eq('select display_name from app.users', array['Dan'], 'so does Dan, who was on the same list, Dan');
select tests.act_as('mia');
select results_eq('select display_name from app.users', array['Mia'], 'and Mia, of another campus, Mia');

-- Who has deleted the account keeps the circles of the past, and sees none of those who were there.
select tests.act_as_nobody();
savepoint open;
update app.user_campuses set closed_at = clock_timestamp() where user_id = tests.member('ann');
select tests.act_as('ann');
select is_empty('select display_name from app.users', 'who has deleted the account sees no mate');
rollback to open;

-- Ben gives up the place.
select tests.act_as_nobody();
update app.circle_members set cancelled_at = time_slot where user_id = tests.member('ben');
select tests.act_as('ann');
select results_eq('select display_name from app.users', array['Ann'], 'who gave up the place is no mate');
select tests.act_as('ben');
select results_eq('select display_name from app.users', array['Ben'], 'for neither of them');
select tests.act_as_nobody();
update app.user_campuses set closed_at = clock_timestamp() where user_id = tests.member('ben');
select tests.act_as('ben');
select is_empty('select display_name from app.users', 'and who has deleted the account not even themselves');
select tests.act_as(null);
select is_empty('select display_name from app.users', 'a token that names nobody sees nobody');
select tests.act_as_role('anon');
select throws_ok('select display_name from app.users', '42501', null, 'a stranger may not look');
select tests.act_as_role('service_role');
select is((select count(email) from app.users), 6::bigint, 'a trusted server sees all');

select * from finish();
rollback;
