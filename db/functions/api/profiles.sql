-- api.profiles: names: the caller's own, and those of everyone with whom they are or were in a circle.
--
-- security_invoker: row level security of app.users decides, as the caller. Nothing but the name is here: an address
-- that is no column of it can't be filtered or ordered by either.

create or replace view api.profiles
with (security_invoker = true)
as
select
  users.campus_id,
  users.user_id,
  users.display_name
from app.users;

comment on view api.profiles is
'Names of the caller and of everyone with whom they are or were in a circle.

my_profile() tells more about oneself.';
comment on column api.profiles.campus_id is 'The campus.';
comment on column api.profiles.user_id is 'The member.';
comment on column api.profiles.display_name is 'The name that circle-mates see.';

grant select on api.profiles to authenticated, service_role;
