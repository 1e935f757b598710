-- app.campus_reports(p_campus_id, p_before, p_limit, p_reader_id): what members of a campus told its operators, the newest first.
--
-- Not what was told about who reads: an operator is a member, too, and the reported never learn who reported them.

create or replace function app.campus_reports(
  p_campus_id text, p_before timestamptz, p_limit integer, p_reader_id uuid default null
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_campus_id is null then
    perform app.refuse('no_campus');
  end if;
  if p_limit is null or p_limit not between 1 and 10000 then
    perform app.refuse('limit_invalid');
  end if;

  return jsonb_build_object('reports', coalesce(
    (
      select jsonb_agg(
        jsonb_build_object(
          'createdAt', told.created_at,
          'timeSlot', told.time_slot,
          'by', jsonb_build_object('userId', told.user_id, 'displayName', tellers.display_name),
          'about', jsonb_build_object(
            'userId', told.reported_id,
            'displayName', others.display_name,
            'suspendedUntil', directory.suspended_until
          ),
          'reason', told.reason,
          'comment', told.comment
        )
        order by told.created_at desc, told.user_id, told.reported_id
      )
      from (
        select *
        from app.reports
        where reports.campus_id = p_campus_id
          and reports.created_at < coalesce(p_before, 'infinity')
          and reports.reported_id is distinct from p_reader_id
        order by reports.created_at desc, reports.user_id, reports.reported_id
        limit p_limit
      ) as told
      inner join app.users as tellers on tellers.campus_id = p_campus_id and tellers.user_id = told.user_id
      inner join app.users as others on others.campus_id = p_campus_id and others.user_id = told.reported_id
      inner join app.user_campuses as directory on directory.user_id = told.reported_id
    ),
    '[]'
  ));
end;
$function$;

comment on function app.campus_reports(text, timestamptz, integer, uuid) is
'What members of a campus told its operators, but for what was told about p_reader_id, the newest first: {reports: [{createdAt, timeSlot, by: {userId, displayName}, about: {userId, displayName, suspendedUntil}, reason, comment}]}. Refuses no_campus, limit_invalid.';

revoke all on function app.campus_reports(text, timestamptz, integer, uuid) from public;
