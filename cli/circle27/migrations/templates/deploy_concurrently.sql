-- Deploy $project:$name to pg
--
-- No begin and commit: an index is built concurrently outside of a transaction. Each statement stands alone, so this
-- script must do the right thing again after it was interrupted anywhere.

set role circle27_owner;

-- Name table and columns below, and take this line away.
do $$$$ begin raise exception 'deploy/$name.sql is not written yet'; end $$$$;

-- Both statements wait for transactions that are open now. Readers and writers do not wait for them.
set lock_timeout = '10min';

-- What an interrupted build has left: an index that is not valid. (A valid one of that name goes, too.)
drop index concurrently if exists app.$name;

create index concurrently $name on app.table_name (column_name);

comment on index app.$name is '...';
