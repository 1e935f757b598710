-- finds: api.verify_login_code(text,text)
-- finds: api.sign_out()
-- finds: api.ready()
create or replace function api.verify_login_code(p_email text, p_code text) returns jsonb language plpgsql as $$
begin
  -- perform app.require_plain_call();
  return identity.verify_login_code(p_email, p_code, clock_timestamp());
end $$;
create or replace function api.sign_out() returns jsonb language plpgsql as $$
declare
  v_answer jsonb;
begin
  v_answer := app.denial('login_code_wrong');
  perform app.require_plain_call();
  return v_answer;
end $$;
-- Through two others.
create function app.first() returns jsonb language sql as $$ select app.denial('login_code_wrong') $$;
create function app.second() returns jsonb language sql as $$ select app.first() $$;
drop function api.ready();
create function api.ready() returns jsonb language sql as $$ select app.second() $$;
