-- app.clock_offset: the worker reads the clock; only app.set_clock_offset() moves it.

grant select on app.clock_offset to circle27_worker, service_role;

create policy read_the_clock on app.clock_offset
for select
to circle27_worker
-- One row, the same for all.
using (true);

comment on policy read_the_clock on app.clock_offset is 'The worker reads the one row.';
