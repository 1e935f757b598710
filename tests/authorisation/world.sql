-- The world that the matrix looks at: everyone has rows of their own in every table that a request may read.
-- Half past three: the slot at eleven is over, so is the one at two, the one at five is open.
-- Both campuses have slots at the same instants and circles of the same numbers, so that a predicate that forgets the
-- campus, the slot or the circle shows somebody else's rows.

select tests.create_campus(campus_id, 'America/Los_Angeles') from unnest('{home,abroad}'::text[]) as campuses (campus_id);

-- Who they are is seen from `owner`: see PERSONAS in matrix.py.
select tests.create_member(name, case name when 'foreigner' then 'abroad' else 'home' end, case name when 'operator' then 'operator' else 'user' end)
from unnest('{owner,mate,gone,stranger,blocked,operator,foreigner}'::text[]) as names (name);

select tests.create_slot(name, at, campus_id) from (values
  ('over', time '11:00', 'home'), ('theirs', '14:00', 'home'), ('open', '17:00', 'home'),
  ('over abroad', '11:00', 'abroad'), ('theirs abroad', '14:00', 'abroad'), ('open abroad', '17:00', 'abroad')
) as slots (name, at, campus_id);
select tests.clock('15:30');

select app.add_meeting_spot(campus_id, 'steps', 'Front steps') from unnest('{home,abroad}'::text[]) as campuses (campus_id);

select tests.in_circle(name, slot, circle_no) from (values
  ('owner', 'over', 1), ('mate', 'over', 1), ('gone', 'over', 1), ('stranger', 'over', 2), ('blocked', 'over', 3),
  ('operator', 'over', 4), ('foreigner', 'over abroad', 1), ('stranger', 'theirs', 1), ('foreigner', 'theirs abroad', 1)
) as places (name, slot, circle_no);
-- `gone` gave the place up.
update app.circle_members set cancelled_at = tests.slot('over') where user_id = tests.member('gone');

select tests.joined(name, case name when 'foreigner' then 'open abroad' else 'open' end)
from unnest('{owner,mate,gone,stranger,blocked,operator,foreigner}'::text[]) as names (name);

select tests.gave_feedback(name, case name when 'foreigner' then 'over abroad' else 'over' end)
from unnest('{owner,mate,stranger,blocked,operator,foreigner}'::text[]) as names (name);
insert into app.feedback_about (campus_id, time_slot, user_id, about_id, meet_again)
select 'home', tests.slot('over'), tests.member(name), tests.member(about), true
from (values ('owner', 'mate'), ('mate', 'owner'), ('stranger', 'owner'), ('operator', 'stranger')) as words (name, about);

select tests.blocked(name, other)
from (values ('owner', 'blocked'), ('mate', 'stranger'), ('stranger', 'owner'), ('operator', 'owner')) as blocks (name, other);
insert into events.gateways (gateway, renewed_at) values ('here', clock_timestamp());
insert into events.streams (campus_id, stream_id, user_id, session_id, gateway, process_id, expires_at)
select 'home', md5(name), tests.member(name), gen_random_uuid(), 'here', 1, clock_timestamp() + interval '1 hour'
from unnest('{owner,mate,stranger,blocked,operator}'::text[]) as names (name);
insert into app.meetings (campus_id, user_a, user_b, meetings_count, last_met_at)
select 'home', least(tests.member('owner'), tests.member('mate')), greatest(tests.member('owner'), tests.member('mate')), 1, tests.slot('over');

-- Try a statement as whoever one is now, and undo it: {sqlstate, slug, answer, headers}; no sqlstate where it worked.
create function tests.attempt(p_statement text, p_answers boolean default true)
returns jsonb
language plpgsql
as $$
declare
  v_answer   text;
  v_sqlstate text;
  v_slug     text;
begin
  begin
    if p_answers then
      execute p_statement into v_answer;
    else
      execute p_statement;
    end if;
    -- A refusal that commits (app.denial) is one, too.
    if nullif(current_setting('response.status', true), '') is not null then
      raise sqlstate 'ZZ000' using message = jsonb_build_object(
        'sqlstate', 'PT' || current_setting('response.status'), 'slug', v_answer::jsonb ->> 'details'
      );
    end if;
    raise sqlstate 'ZZ000' using message = jsonb_build_object(
      'answer', v_answer, 'headers', nullif(current_setting('response.headers', true), '')
    );
  exception when others then
    get stacked diagnostics v_sqlstate = returned_sqlstate, v_slug = pg_exception_detail;
    if v_sqlstate = 'ZZ000' then
      return sqlerrm;
    end if;
    return jsonb_build_object('sqlstate', v_sqlstate, 'slug', v_slug, 'message', sqlerrm);
  end;
end;
$$;
