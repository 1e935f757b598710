-- finds: api.ready()
alter function api.ready() security invoker;
