-- plpgsql_check over every PL/pgSQL function: it reads the bodies, which no other linter does.

begin;
select plan(2);

select case when not exists (select from pg_extension where extname = 'plpgsql_check')
  then skip('this server has no plpgsql_check')
  else is_empty($check$
  select functions.oid::regprocedure, found.lineno, found.level, found.message
  from pg_proc as functions
  inner join pg_language as languages on languages.oid = functions.prolang and languages.lanname = 'plpgsql'
  left join pg_trigger as triggers on triggers.tgfoid = functions.oid and not triggers.tgisinternal
  cross join lateral lint.plpgsql_check_function_tb(
    functions.oid, coalesce(triggers.tgrelid, 0), fatal_errors => false, extra_warnings => true,
    performance_warnings => false, security_warnings => true
  ) as found
  where functions.pronamespace::regnamespace::text in ('api', 'app', 'events', 'ops', 'identity', 'audit')
    and (functions.prorettype <> 'trigger'::regtype or triggers.oid is not null)
$check$, 'plpgsql_check finds nothing')
end;

select cmp_ok(
  (select count(*) from pg_proc where pronamespace::regnamespace::text in ('api', 'app') and prolang = (select oid from pg_language where lanname = 'plpgsql')),
  '>', 10::bigint, 'and had something to read'
);

select * from finish();
rollback;
