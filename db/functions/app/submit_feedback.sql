-- app.submit_feedback(p_campus_id, p_user_id, p_time_slot, p_rating, p_comment, p_about): say how a meeting was, once.
--
-- Open from the end of the meeting for as long as the button says `feedback`: to those who were in a circle, until they
-- have given it. Repeatable: the same words again give the same button; other words are refused, and lose nothing.
--
-- p_about: [{"userId": uuid, "meetAgain": boolean or null, "noShow": boolean}], each circle-mate at most once.

create or replace function app.submit_feedback(
  p_campus_id text,
  p_user_id uuid,
  p_time_slot timestamptz,
  p_rating integer,
  p_comment text,
  p_about jsonb
)
returns json
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_slot    app.time_slots;
  v_now     timestamptz;
  v_comment text := nullif(btrim(p_comment), '');
  v_about   jsonb;
  v_button  json;
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;

  -- Shared, as in joining: a slot that is being cancelled is waited for. Who comes before the end waits for nothing.
  v_now := app.clock();
  if exists (
    select
    from app.time_slots as slots
    where slots.campus_id = p_campus_id
      and slots.time_slot = p_time_slot
      and slots.ends_at <= v_now
  ) then
    perform app.lock_member(p_user_id);  -- refuses account_deleted
    perform pg_advisory_xact_lock_shared(app.lock_key('slot', p_campus_id, p_time_slot));
    v_now := app.clock();
  end if;

  v_slot := app.standing_slot(p_campus_id, p_time_slot);  -- refuses slot_not_found, slot_cancelled
  perform app.own_circle_no(p_campus_id, p_user_id, v_slot, v_now);  -- refuses who is in none
  if v_now < v_slot.ends_at then
    perform app.refuse('feedback_not_open');
  end if;
  if p_rating is null or p_rating not between 1 and 5 then
    perform app.refuse('rating_invalid');
  end if;
  if length(v_comment) > 2000 then
    perform app.refuse('comment_invalid');
  end if;
  v_about := app.feedback_about(p_campus_id, p_user_id, p_time_slot, p_about);
  if v_about is null then
    perform app.refuse('about_invalid');
  end if;

  insert into app.feedback (campus_id, time_slot, user_id, rating, comment, created_at)
  values (p_campus_id, p_time_slot, p_user_id, p_rating, v_comment, v_now)
  on conflict on constraint feedback_pkey do nothing;

  if not found then
    if not exists (
      select
      from app.feedback as given
      where given.campus_id = p_campus_id
        and given.time_slot = p_time_slot
        and given.user_id = p_user_id
        and given.rating = p_rating
        and given.comment is not distinct from v_comment
    ) or v_about <> app.stored_feedback_about(p_campus_id, p_user_id, p_time_slot) then
      perform app.refuse('feedback_given');
    end if;
    return app.button(p_campus_id, p_user_id, p_time_slot, v_now);
  end if;

  insert into app.feedback_about (campus_id, time_slot, user_id, about_id, meet_again, no_show)
  select
    p_campus_id, p_time_slot, p_user_id,
    (said.about ->> 'userId')::uuid, (said.about ->> 'meetAgain')::boolean, (said.about ->> 'noShow')::boolean
  from jsonb_array_elements(v_about) as said (about);

  perform app.judge_no_shows(
    p_campus_id, p_time_slot,
    array(
      select (said.about ->> 'userId')::uuid
      from jsonb_array_elements(v_about) as said (about)
      where (said.about ->> 'noShow')::boolean
    ),
    v_now
  );

  -- The button changes, so its version does.
  update app.waitlist_entries as entries
  set version = app.next_version()
  where entries.campus_id = p_campus_id
    and entries.time_slot = p_time_slot
    and entries.user_id = p_user_id;

  v_button := app.button(p_campus_id, p_user_id, p_time_slot, v_now);
  perform app.emit(p_campus_id, 'user:' || p_user_id, 'button', v_button::jsonb);
  perform audit.record('feedback.given', p_campus_id, p_user_id, p_time_slot);

  return v_button;
end;
$function$;

comment on function app.submit_feedback(text, uuid, timestamptz, integer, text, jsonb) is
'Say how a meeting was, once; returns the new button. Refuses no_campus, account_deleted, slot_not_found, slot_cancelled, not_matched_yet, no_circle_formed, no_circle, feedback_not_open, rating_invalid, comment_invalid, about_invalid, feedback_given.';

revoke all on function app.submit_feedback(text, uuid, timestamptz, integer, text, jsonb) from public;
