-- What PostgREST sends for one call of get_button_states, as one member, in a transaction of its own.
select set_config('role', 'authenticated', true), set_config('request.jwt.claims', %(claims)s, true),
  set_config('request.method', 'GET', true), set_config('request.path', '/rpc/get_button_states', true),
  set_config('request.headers', '{}', true)
