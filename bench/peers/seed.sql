-- What the first version of this product had: its tables, filled with what stands in ours, and its function, as it was written.
-- It had no keys worth the name; these get the indexes that its questions need.

create schema bench_seed;
set local search_path = bench_seed;

create table waitlist_entries as
select user_id, time_slot at time zone 'UTC' as time_slot
from app.waitlist_entries where left_at is null;
create table circles as
select md5(campus_id || time_slot || circle_no)::uuid as id, time_slot at time zone 'UTC' as time_slot
from app.circles;
create table circle_members as
select md5(campus_id || time_slot || circle_no)::uuid as circle_id, user_id
from app.circle_members where cancelled_at is null;
create table feedback as
select user_id, time_slot at time zone 'UTC' as time_slot
from app.feedback;

alter table waitlist_entries add primary key (user_id, time_slot);
alter table circles add primary key (id);
alter table circle_members add primary key (user_id, circle_id);
alter table feedback add primary key (user_id, time_slot);
analyze waitlist_entries, circles, circle_members, feedback;

CREATE OR REPLACE FUNCTION get_button_state(
  p_user_id UUID,
  p_time_slot TIMESTAMP,
  p_current_time TIMESTAMP DEFAULT NOW()
) RETURNS JSON AS $$
DECLARE
  is_on_waitlist BOOLEAN;
  assigned_circle_id UUID;
  feedback_submitted BOOLEAN;
  time_slot_data JSON;
  deadline TIMESTAMP;
  event_end TIMESTAMP;
  button_result JSON;
BEGIN
  -- Extract time slot information
  deadline := p_time_slot - INTERVAL '1 hour';
  event_end := p_time_slot + INTERVAL '20 minutes';
  
  -- Get user waitlist status
  SELECT EXISTS(
    SELECT 1 FROM waitlist_entries 
    WHERE user_id = p_user_id AND time_slot = p_time_slot
  ) INTO is_on_waitlist;
  
  -- Get circle assignment
  SELECT cm.circle_id INTO assigned_circle_id
  FROM circle_members cm
  JOIN circles c ON c.id = cm.circle_id  
  WHERE cm.user_id = p_user_id AND c.time_slot = p_time_slot;
  
  -- Check feedback status
  SELECT EXISTS(
    SELECT 1 FROM feedback 
    WHERE user_id = p_user_id AND time_slot = p_time_slot
  ) INTO feedback_submitted;
  
  -- Apply Method 7 logic
  IF p_current_time < deadline THEN
    -- Before deadline phase
    IF is_on_waitlist THEN
      button_result := json_build_object(
        'buttonState', 'leave',
        'buttonText', 'Can''t Go',
        'middleText', 'Decide by ' || to_char(deadline, 'FMHH12AM'),
        'isDisabled', false
      );
    ELSE
      button_result := json_build_object(
        'buttonState', 'join',
        'buttonText', 'Join', 
        'middleText', 'Decide by ' || to_char(deadline, 'FMHH12AM'),
        'isDisabled', false
      );
    END IF;
  ELSIF p_current_time < event_end THEN
    -- During event phase
    IF assigned_circle_id IS NOT NULL THEN
      button_result := json_build_object(
        'buttonState', 'confirmed',
        'buttonText', 'Confirmed ✓',
        'middleText', 'Confirmed at ' || to_char(deadline, 'FMHH12AM'),
        'isDisabled', false
      );
    ELSE
      button_result := json_build_object(
        'buttonState', 'past',
        'buttonText', 'Past',
        'middleText', 'Closed at ' || to_char(deadline, 'FMHH12AM'),
        'isDisabled', true
      );
    END IF;
  ELSE
    -- After event phase
    IF assigned_circle_id IS NOT NULL AND NOT feedback_submitted THEN
      button_result := json_build_object(
        'buttonState', 'feedback',
        'buttonText', 'Feedback >',
        'middleText', 'Confirmed at ' || to_char(deadline, 'FMHH12AM'),
        'isDisabled', false
      );
    ELSE
      button_result := json_build_object(
        'buttonState', 'past',
        'buttonText', 'Past',
        'middleText', CASE 
          WHEN assigned_circle_id IS NOT NULL THEN 'Confirmed at ' || to_char(deadline, 'FMHH12AM')
          ELSE 'Closed at ' || to_char(deadline, 'FMHH12AM')
        END,
        'isDisabled', true
      );
    END IF;
  END IF;
  
  RETURN button_result;
END;
$$ LANGUAGE plpgsql SECURITY DEFINER;
