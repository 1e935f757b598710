-- app.circle_count(p_people, p_size_min, p_size_target, p_size_max): how many circles so many people make.
--
-- The people divided by the target, rounded, within the bounds; null if the people can't be split into
-- circles between the bounds at all (two people; or five, where every circle has exactly four).

create or replace function app.circle_count(
  p_people integer,
  p_size_min integer,
  p_size_target integer,
  p_size_max integer
)
returns integer
language sql
immutable
parallel safe
as $function$
  select case
    when (p_people + p_size_max - 1) / p_size_max between 1 and p_people / p_size_min then
      least(
        greatest((p_people + p_size_target / 2) / p_size_target, (p_people + p_size_max - 1) / p_size_max),
        p_people / p_size_min
      )
  end
$function$;

comment on function app.circle_count(integer, integer, integer, integer) is
'How many circles so many people make; null if no split into the allowed sizes exists.';

revoke all on function app.circle_count(integer, integer, integer, integer) from public;
