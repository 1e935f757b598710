-- app.error_registry(): every refusal there is. The one place to add one; docs/error_codes.md is made from it.
--
-- A message is a constant ASCII sentence without input: PostgREST writes it into the HTTP status line.
-- No refusal has status 400 (the gateway repeats those that broken pooled connections cause), and of the
-- server's own only 503 and 504, which say: try again later.

create or replace function app.error_registry()
returns table (slug text, status integer, message text, hint text, retry_safe boolean, area text)
language sql
immutable
parallel safe
as $function$
  values
    -- Who is calling.
    ('not_signed_in', 401, 'This call needs a signed-in member',
     'Send an access token of a member in the Authorization header', false, 'identity'),
    ('token_invalid', 401, 'The token lacks a claim or carries a malformed one',
     'A member''s token has exp, aud, a uuid as sub and, if present, a uuid as session_id and an IANA name as tz; sign in again', false, 'identity'),
    ('session_missing', 401, 'A stream needs a token with a session',
     'Sign in again; the token must have a uuid as session_id', false, 'identity'),
    ('no_campus', 403, 'This member belongs to no campus',
     'Register the member with an e-mail address of a campus', false, 'identity'),
    ('account_deleted', 401, 'This account was deleted',
     'Sign in again to begin anew', false, 'identity'),
    ('wrong_campus', 403, 'The token names another campus than the member''s own',
     'Sign in again to get a token for the campus the member belongs to now', false, 'identity'),
    ('not_yours', 403, 'This is for the member concerned only',
     'Ask with your own user id', false, 'identity'),
    ('member_not_found', 404, 'There is no such member',
     'Check the user id', false, 'identity'),
    ('ttl_invalid', 422, 'A token lives between one second and 366 days',
     'Give an interval in that range', false, 'identity'),
    ('login_code_wrong', 422, 'The login code does not count',
     'Check it, or ask for a new one: a code lives for ten minutes and survives four wrong tries', false, 'identity'),
    ('login_codes_exhausted', 429, 'Too many login codes were asked for',
     'Ask again after the seconds that Retry-After says', true, 'identity'),
    ('login_unavailable', 503, 'Nobody can sign in at the moment',
     'Try again later; the operators have to give the database its signing key', true, 'identity'),
    ('session_over', 401, 'The session is over',
     'Sign in again', false, 'identity'),
    ('refresh_token_reused', 401, 'This refresh token was used before, so its session was ended',
     'Sign in again, and keep only the newest refresh token', false, 'identity'),
    ('key_invalid', 422, 'The key is not allowed',
     'Give a name of letters, digits, - and _, and a secret of at least 32 bytes', false, 'identity'),
    ('call_not_plain', 422, 'This call takes its arguments and nothing else',
     'Leave out select, filters and order', false, 'identity'),
    ('key_exists', 409, 'There is another key of this name',
     'Give the new key another name', false, 'identity'),
    -- Campuses and their members.
    ('campus_not_found', 404, 'There is no such campus',
     'Check the campus id; it is lower case', false, 'campus'),
    ('campus_exists', 409, 'The campus exists with other values',
     'Adding never changes a campus; update the existing one', false, 'campus'),
    ('campus_invalid', 422, 'A value of the campus is not allowed',
     'The id is lower case letters, digits and hyphens; the time zone an IANA name; there are 1 to 48 slot times and at least one e-mail domain', false, 'campus'),
    ('email_domain_taken', 409, 'The e-mail domain belongs to another campus',
     'A domain belongs to one campus; remove it there first', false, 'campus'),
    ('email_invalid', 422, 'The e-mail address is not valid',
     'Send an address like ann@example.edu', false, 'campus'),
    ('email_domain_unknown', 422, 'No campus has this e-mail domain',
     'Use the address that your campus gave you', false, 'campus'),
    ('display_name_invalid', 422, 'The display name is not allowed',
     'Use 1 to 80 characters without control characters', false, 'campus'),
    ('attributes_invalid', 422, 'The attributes are not allowed',
     'Send a JSON object of at most 4096 bytes', false, 'campus'),
    ('operators_only', 403, 'This is for operators of the campus only',
     'Ask an operator of your campus', false, 'identity'),
    ('suspended', 403, 'This member may join no time slot for now',
     'my_profile says until when; ask an operator of your campus', false, 'circles'),
    ('suspension_invalid', 422, 'The suspension is not allowed',
     'Give an instant ahead, or infinity, and a reason of 1 to 500 characters', false, 'circles'),
    ('report_invalid', 422, 'The report is not allowed',
     'The reason is harassment, no_show, fake or other; the comment has at most 2000 characters', false, 'circles'),
    -- Slots.
    ('slot_not_found', 404, 'There is no such time slot',
     'Take timeSlot from get_button_states or time_slots', false, 'slots'),
    ('slot_cancelled', 409, 'The time slot was cancelled',
     'Choose another slot', false, 'slots'),
    ('slot_ended', 409, 'The time slot is over',
     'Nothing can be done about it any more', false, 'slots'),
    ('deadline_passed', 409, 'The deadline of this time slot has passed',
     'Choose a slot whose deadlineAt lies ahead', false, 'slots'),
    ('deadline_not_reached', 409, 'The deadline of this time slot has not passed yet',
     'Match it from deadlineAt on', true, 'slots'),
    ('slot_busy', 503, 'The time slot is being matched or cancelled',
     'Try again in a moment', true, 'slots'),
    ('day_invalid', 422, 'The day is out of range',
     'Send a date between 2000-01-01 and 2199-12-31, or none for today', false, 'slots'),
    ('entry_fixed', 405, 'An entry of a waitlist cannot be changed',
     'Insert one to join, delete it to leave', false, 'slots'),
    -- Circles, feedback, walls.
    ('not_matched_yet', 409, 'The circles of this time slot are not formed yet',
     'Wait for the event circle, or ask again after deadlineAt', true, 'circles'),
    ('no_circle_formed', 404, 'No circle could be formed for you in this time slot',
     'Too few people came; join another slot', false, 'circles'),
    ('no_circle', 404, 'You are in no circle of this time slot',
     'Take a slot whose buttonState is confirmed or feedback', false, 'circles'),
    ('feedback_not_open', 409, 'Feedback opens when the meeting is over',
     'Send it from endsAt on', true, 'circles'),
    ('feedback_given', 409, 'Other feedback on this meeting was given before',
     'It is given once and cannot be changed', false, 'circles'),
    ('rating_invalid', 422, 'The rating is not between 1 and 5',
     'Send a whole number from 1 to 5', false, 'circles'),
    ('comment_invalid', 422, 'The comment is too long',
     'Send at most 2000 characters', false, 'circles'),
    ('about_invalid', 422, 'What is said about circle-mates is not allowed',
     'Send a list of {"userId": uuid, "meetAgain": boolean, "noShow": boolean}: circle-mates only, each once, and no meetAgain for a no-show', false, 'circles'),
    ('not_a_mate', 404, 'This member was not in your circle',
     'Report somebody whom my_circle names', false, 'circles'),
    ('report_given', 409, 'Another report on this member and meeting was given before',
     'It is given once and cannot be changed', false, 'circles'),
    ('block_oneself', 422, 'Nobody can block themselves',
     'Send the user id of another member', false, 'circles'),
    ('spot_invalid', 422, 'A value of the meeting spot is not allowed',
     'The id is lower case letters, digits and hyphens; the name 1 to 200 characters', false, 'circles'),
    -- Limits.
    ('rate_limited', 429, 'Too many calls in a short time',
     'Try again after the number of seconds in Retry-After', true, 'limits'),
    -- Clock, queue, readiness.
    ('clock_offset_invalid', 422, 'The clock cannot be moved by this interval',
     'Give an interval of at most 99 years', false, 'operations'),
    ('time_invalid', 422, 'The time is missing or out of range',
     'Give an instant between 2000-01-01 and 2199-12-31', false, 'operations'),
    ('limit_invalid', 422, 'The number of rows to take is out of range',
     'Take between 1 and 10000', false, 'operations'),
    ('year_invalid', 422, 'These years cannot be dropped',
     'Give a year that is not this one; the last year always stays', false, 'operations'),
    ('not_ready', 503, 'The database cannot serve and write yet',
     'Try again in a few seconds', true, 'operations')
$function$;

comment on function app.error_registry() is
'Every refusal: slug, HTTP status, message, hint, whether the same call may be repeated as it is, area.';

revoke all on function app.error_registry() from public;
-- app.refuse() runs as its caller.
grant execute on function app.error_registry() to anon, authenticated, service_role, circle27_auth;
