-- app.seat_walled(...): find circles for those between whom there are walls; the hard part of a matching.
--
-- Depth first, with steps back: each walled person in turn (most walls first) goes into a circle that has room and
-- nobody they must not meet, or is left out while p_left_out allows it. The others, p_fillers, go anywhere, so all that
-- is asked of them is their number. p_spread begins each search at another circle, which spreads people as chance would;
-- without it no two empty circles are both tried, which makes the search complete for small numbers.
--
-- p_kept: who of the walled was left out the last time. Of all people who were, p_kept_out at most are left out again;
-- p_free_fillers is how many of the others were not.
--
-- Gives the circle of each of the p_walled people (0 = left out), or null: there is no way, or none within p_steps.
-- Reads no table and no clock; the same arguments give the same answer.

create or replace function app.seat_walled(
  p_walled integer,
  p_wall_start integer[],
  p_wall_with integer[],
  p_fillers integer,
  p_circles integer,
  p_room integer[],
  p_size_min integer,
  p_left_out integer,
  p_kept boolean[],
  p_free_fillers integer,
  p_kept_out integer,
  p_spread bigint,
  p_steps integer
)
returns integer[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_seat    integer[] := array_fill(-1, array[p_walled]);  -- -1: not yet; 0: left out
  v_tried   integer[] := array_fill(0, array[p_walled]);   -- how many choices of each were tried
  v_used    integer[] := array_fill(0, array[p_walled]);   -- circles in use before each was seated
  v_size    integer[] := array_fill(0, array[p_circles]);
  v_short   integer := p_circles * p_size_min;             -- people still missing to the minimum, over all circles
  v_out     integer := 0;
  v_again   integer := 0;                                  -- of those, who was left out the last time
  v_steps   integer := p_steps;
  v_at      integer := 1;
  v_circle  integer;
  v_choices integer;
  v_fits    boolean;
begin
  if p_left_out > p_walled + p_free_fillers + p_kept_out then
    return null;
  end if;

  while v_at between 1 and p_walled loop
    v_steps := v_steps - 1;
    if v_steps < 0 then
      return null;
    end if;

    -- Take this person up from where they sit, if we came back to them.
    v_circle := v_seat[v_at];
    if v_circle > 0 then
      v_size[v_circle] := v_size[v_circle] - 1;
      if v_size[v_circle] < p_size_min then
        v_short := v_short + 1;
      end if;
    elsif v_circle = 0 then
      v_out := v_out - 1;
      v_again := v_again - p_kept[v_at]::integer;
    end if;
    v_seat[v_at] := -1;

    v_choices := case when p_spread is null then least(v_used[v_at] + 1, p_circles) else p_circles end;
    v_fits := false;
    while not v_fits and v_tried[v_at] < v_choices loop
      v_circle := v_tried[v_at];
      if p_spread is not null then
        v_circle := (v_circle + (p_spread + v_at * 7919::bigint) % p_circles) % p_circles;
      end if;
      v_circle := v_circle + 1;
      v_tried[v_at] := v_tried[v_at] + 1;
      v_fits := v_size[v_circle] < p_room[v_circle];
      if v_fits then
        v_steps := v_steps - 1;
        for v_wall in p_wall_start[v_at] .. p_wall_start[v_at + 1] - 1 loop
          if v_seat[p_wall_with[v_wall]] = v_circle then
            v_fits := false;
            exit;
          end if;
        end loop;
      end if;
    end loop;

    if v_fits then
      v_seat[v_at] := v_circle;
      v_size[v_circle] := v_size[v_circle] + 1;
      if v_size[v_circle] <= p_size_min then
        v_short := v_short - 1;
      end if;
    elsif v_tried[v_at] <= v_choices
      and v_out < p_left_out
      and v_again + p_kept[v_at]::integer <= p_kept_out
    then
      v_tried[v_at] := v_choices + 1;
      v_seat[v_at] := 0;
      v_out := v_out + 1;
      v_again := v_again + p_kept[v_at]::integer;
    else
      -- No choice is left: back to the one before.
      v_tried[v_at] := 0;
      v_at := v_at - 1;
      continue;
    end if;

    -- Whoever is still to come must be able to fill every circle to its minimum, the left-out not counted; and as many of
    -- them as are still to be left out must be allowed to.
    if v_short <= p_walled - v_at + p_fillers - (p_left_out - v_out)
      and p_left_out - v_out <= p_walled - v_at + p_free_fillers + p_kept_out - v_again
    then
      if v_at < p_walled then
        v_used[v_at + 1] := greatest(v_used[v_at], v_seat[v_at]);
        v_tried[v_at + 1] := 0;
      end if;
      v_at := v_at + 1;
    end if;
  end loop;

  return case when v_at > p_walled then v_seat end;
end;
$function$;

comment on function app.seat_walled(
  integer, integer[], integer[], integer, integer, integer[], integer, integer, boolean[], integer, integer, bigint,
  integer
) is
'Circles for those between whom there are walls: the circle of each (0 = left out), or null if none was found within p_steps.';

revoke all on function app.seat_walled(
  integer, integer[], integer[], integer, integer, integer[], integer, integer, boolean[], integer, integer, bigint,
  integer
) from public;
