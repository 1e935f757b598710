-- Policies say `(select app.my_id())`, never `app.my_id()` or auth.uid() alone, and read no setting themselves.
--
-- Within a sub-select the caller is asked for once a query; without it once a row, and no index helps.
select policies.polrelid::regclass || ' ' || policies.polname as found
from pg_policy as policies
cross join
  lateral concat_ws(
    ' ', pg_get_expr(policies.polqual, policies.polrelid), pg_get_expr(policies.polwithcheck, policies.polrelid)
  ) as rules (rule)
where regexp_replace(rules.rule, '\( ?SELECT (auth\.(uid|role|jwt)|app\.my_id)\(\)( AS \w+)?\)', '', 'g')
  ~ 'auth\.|app\.my_id|current_setting';
