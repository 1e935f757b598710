-- The members of a load run, registered first if new, each with the claims of a token. In the order in which they are given.
select identity.token_claims(registered.user_id) as claims
from unnest(%(emails)s::text[], %(names)s::text[]) with ordinality as people (email, name, number)
cross join lateral app.register_user(people.email, people.name) as registered
order by people.number
