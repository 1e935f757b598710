-- finds: app.named_otherwise(text,integer)
-- finds: app.nameless(text)
create function app.named_otherwise(p_name text, day integer) returns text language sql as $$ select p_name $$;
create function app.nameless(text) returns text language sql as 'select $1';
