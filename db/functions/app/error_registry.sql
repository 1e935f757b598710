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
    ('wrong_campus', 403, 'The token names another campus than the member''s own',
     'Sign in again to get a token for the campus the member belongs to now', false, 'identity'),
    ('not_yours', 403, 'This is for the member concerned only',
     'Ask with your own user id', false, 'identity'),
    ('member_not_found', 404, 'There is no such member',
     'Check the user id', false, 'identity'),
    ('ttl_invalid', 422, 'A token lives between one second and 366 days',
     'Give an interval in that range', false, 'identity'),
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
    -- Slots.
    ('slot_not_found', 404, 'There is no such time slot',
     'Take timeSlot from get_button_states or time_slots', false, 'slots'),
    ('day_invalid', 422, 'The day is out of range',
     'Send a date between 2000-01-01 and 2199-12-31, or none for today', false, 'slots'),
    -- Clock, queue, readiness.
    ('clock_offset_invalid', 422, 'The clock cannot be moved by this interval',
     'Give an interval of at most 99 years', false, 'operations'),
    ('time_invalid', 422, 'The time is missing or out of range',
     'Give an instant between 2000-01-01 and 2199-12-31', false, 'operations'),
    ('limit_invalid', 422, 'The number of events to take is out of range',
     'Take between 1 and 10000', false, 'operations'),
    ('not_ready', 503, 'The database cannot serve and write yet',
     'Try again in a few seconds', true, 'operations')
$function$;

comment on function app.error_registry() is
'Every refusal: slug, HTTP status, message, hint, whether the same call may be repeated as it is, area.';

revoke all on function app.error_registry() from public;
-- app.refuse() runs as its caller.
grant execute on function app.error_registry() to anon, authenticated, service_role, circle27_auth;
