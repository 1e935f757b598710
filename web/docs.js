// Swagger UI over the API's own description. Who is signed in on the first page sees and tries what members may call.

import { Circle27 } from './circle27.js';

const circle27 = new Circle27({ storage: localStorage });
if (circle27.session) await circle27.call('my_profile', {}, { method: 'GET' }).catch(() => {}); // renews what has expired
const { session } = circle27;

document.getElementById('caller').textContent = session
  ? 'You are signed in: calls from here are yours.'
  : 'You are nobody here: sign in on the first page, and this one shows what members may call.';

globalThis.SwaggerUIBundle({
  url: '/rest/v1/',
  dom_id: '#swagger',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: 'list',
  validatorUrl: null, // no other site hears of it
  requestInterceptor: (request) => {
    if (session) request.headers.Authorization = `Bearer ${session.accessToken}`;
    if (request.url === '/rest/v1/') request.headers.Accept = 'application/openapi+json';
    return request;
  },
});
