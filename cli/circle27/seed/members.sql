-- The members of a history. Ids, names and dates follow from (random seed, campus, number).
--
-- The id is a version 8 UUID (RFC 9562: "custom"), so that no random one can ever be the same.
with numbered as materialized (
  select
    numbers.number,
    hashtextextended(%(campus)s || ' member ' || numbers.number, %(random_seed)s) as draw,
    overlay(
      overlay(md5(concat_ws(' ', %(random_seed)s::bigint, %(campus)s, numbers.number)) placing '8' from 13)
      placing '8' from 17
    )::uuid as user_id
  from generate_series(1, %(users)s) as numbers (number)
),

listed as (
  insert into app.user_campuses (user_id, campus_id)
  select numbered.user_id, %(campus)s
  from numbered
  order by numbered.number
)

insert into app.users (campus_id, user_id, email, display_name, created_at)
select
  %(campus)s,
  numbered.user_id,
  format('history-%%s-%%s@%%s', %(random_seed)s::bigint, lpad(numbered.number::text, 7, '0'), %(domain)s::text),
  concat_ws(
    ' ',
    (%(first_names)s::text[])[1 + (numbered.draw & 65535) %% cardinality(%(first_names)s::text[])],
    (%(last_names)s::text[])[1 + ((numbered.draw >> 16) & 65535) %% cardinality(%(last_names)s::text[])]
  ),
  -- Somewhen in the 90 days before the history begins.
  app.day_start(campuses.time_zone, %(first_day)s) - make_interval(secs => ((numbered.draw >> 32) & 65535) * 118.0)
from numbered
inner join app.campuses on campuses.campus_id = %(campus)s
order by numbered.number
