-- app.match_weights(): what each thing costs in a matching. Stored with every run; docs/matching.md explains them.
--
-- Greater by so much that the order holds: one more repeat costs more than all that can be said about any one pair, a repeat
-- within the gap more than all other repeats of two circles. `algorithm` changes when the same seed may give other circles.

create or replace function app.match_weights()
returns jsonb
language sql
immutable
parallel safe
as $function$
  select jsonb_build_object(
    'algorithm', 2,
    'wall', 50000000,    -- a block, either way: never
    'gap', 100000,       -- a repeat within the campus's minimum gap
    'repeat', 1000,      -- a repeat
    'recent', 200,       -- more for a recent one; half of it after 30 days, a third after 60
    'fair', 25,          -- more for each repeat that either of the two had in the last 30 days, four of each at most
    'apart', 150,        -- more if either did not want to meet again, or rated a meeting with the other 2 or 1
    'again', 100,        -- all in all, if both want to meet again and the gap is over
    'risk', 50,          -- the square of how many of a circle may not come, one more in a circle of the least size
    'mix', 20,           -- two with the same value of the attribute to mix
    'near', 900          -- two strangers who have met all the same people, of 32 or fewer; less among more
  )
$function$;

comment on function app.match_weights() is
'What each thing costs in a matching: {algorithm, wall, gap, repeat, recent, fair, apart, again, risk, mix, near}.';

revoke all on function app.match_weights() from public;
