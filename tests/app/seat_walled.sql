-- Circles for those between whom there are walls: exact small cases. Walls as lists: where each one's part begins, and with whom.

begin;
select plan(28);

select volatility_is('app', 'seat_walled', array['integer', 'integer[]', 'integer[]', 'integer', 'integer', 'integer[]', 'integer', 'integer', 'boolean[]', 'integer', 'integer', 'bigint', 'integer'],
  'immutable', 'no table, no clock');
select tests.may_call('app.seat_walled(integer, integer[], integer[], integer, integer, integer[], integer, integer, boolean[], integer, integer, bigint, integer)', '{}');

select is(app.seat_walled(walled, starts, walls, fillers, cardinality(room), room, 3, left_out, array_fill(false, array[walled]), fillers, 0, spread, steps), seats, says)
from (values
  -- Two who avoid each other, and people enough.
  (2, '{1,2,3}'::integer[], '{2,1}'::integer[], 4, '{3,3}'::integer[], 0, null::bigint, 100, '{1,2}'::integer[], 'two who avoid each other sit in two circles'),
  (2, '{1,2,3}', '{2,1}', 3, '{3,3}', 0, null, 100, null, 'not if too few others come to fill both'),
  (2, '{1,2,3}', '{2,1}', 4, '{5}', 0, null, 100, null, 'in one circle they can''t sit'),
  (2, '{1,2,3}', '{2,1}', 4, '{5}', 1, null, 100, '{1,0}', 'unless one may be left out'),
  (2, '{1,2,3}', '{2,1}', 5, '{3,3}', 1, null, 100, '{1,2}', 'if one of the others is left out there is room for both'),
  (2, '{1,2,3}', '{2,1}', 4, '{3,3}', 1, null, 100, null, 'but then the others must do without that one'),
  -- One who avoids two.
  (3, '{1,3,4,5}', '{2,3,1,1}', 9, '{5,5}', 0, null, 100, '{1,2,2}', 'the two whom one avoids may sit together'),
  (3, '{1,3,4,5}', '{2,3,1,1}', 9, '{5,1}', 0, null, 100, null, 'if there is room for both'),
  (3, '{1,3,4,5}', '{2,3,1,1}', 9, '{5,1,5}', 0, null, 100, '{1,2,3}', 'or another circle'),
  -- Three who avoid each other.
  (3, '{1,3,5,7}', '{2,3,1,3,1,2}', 9, '{5,5}', 0, null, 100, null, 'three who avoid each other need three circles'),
  (3, '{1,3,5,7}', '{2,3,1,3,1,2}', 9, '{5,5}', 1, null, 100, '{1,2,0}', 'or one of them stays out'),
  (4, '{1,2,3,4,5}', '{2,1,4,3}', 2, '{3,3}', 0, null, 100, '{1,2,1,2}', 'two pairs sit crosswise'),
  -- Nobody walled, where the search begins, and how long it lasts.
  (0, '{1}', '{}', 6, '{3,3}', 0, null, 0, '{}', 'without walls there is nobody to seat'),
  (2, '{1,2,3}', '{2,1}', 4, '{3,3}', 0, 0, 100, '{2,1}', 'spread begins with another circle for each'),
  (2, '{1,2,3}', '{2,1}', 4, '{3,3}', 0, 1, 100, '{1,2}', 'which the number tells'),
  (2, '{1,2,3}', '{2,1}', 4, '{3,3}', 0, null, 10, '{1,2}', 'ten steps are enough for two'),
  (2, '{1,2,3}', '{2,1}', 4, '{3,3}', 0, null, 1, null, 'with one nothing is found')
) as cases (walled, starts, walls, fillers, room, left_out, spread, steps, seats, says);

-- Who was left out the last time: the first of two who avoid each other, both, or some of the four others.
select is(app.seat_walled(2, '{1,2,3}', '{2,1}', 4, 1, '{5}', 3, left_out, kept, free_fillers, kept_out, null, 100), seats, says)
from (values
  (1, '{f,f}'::boolean[], 4, 0, '{1,0}'::integer[], 'one of the two is left out'),
  (1, '{t,f}', 4, 0, '{1,0}', 'not the one who was so the last time'),
  (1, '{f,t}', 4, 0, '{0,1}', 'whichever it was'),
  (1, '{t,t}', 4, 0, null, 'if both were, neither'),
  (1, '{t,t}', 4, 1, '{1,0}', 'unless one may be again'),
  (2, '{f,t}', 0, 0, null, 'and none of the others, if all of them were'),
  (2, '{f,t}', 0, 1, '{0,1}', 'unless one may be: one of the others, not a second one of those two'),
  (3, '{t,t}', 1, 1, null, 'one for the wall, one who may be, and one more who may not'),
  (3, '{t,t}', 1, 2, '{1,0}', 'unless two may be')
) as cases (left_out, kept, free_fillers, kept_out, seats, says);

select * from finish();
rollback;
