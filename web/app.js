// The page of a member: who is signed in, today's slots as cards, the badge. What a button says, the database decides.

import { Circle27 } from './circle27.js';
import { Cards } from './cards.js';
import { showFeedback } from './feedback.js';
import { askToGiveUp } from './place.js';
import { bindAccount, bindSignIn } from './sign-in.js';
import { clockTime, dayName } from './words.js';

const circle27 = new Circle27({ storage: localStorage });
const $ = (id) => document.getElementById(id);
const BADGES = { live: 'Live', reconnecting: 'Reconnecting…', polling: 'Polling' };

const cards = new Cards($('cards'), circle27, {
  announce: (words) => { $('announcer').textContent = words; },
  trouble: (words) => { $('day-problem').textContent = words; },
  feedback: (slot) => showFeedback(circle27, slot),
  giveUp: (slot) => askToGiveUp(circle27, slot),
});

function show() {
  const { session, slots, status } = circle27;
  $('sign-in').hidden = session !== null;
  $('day').hidden = session === null;
  $('badge').hidden = session === null;
  $('who').hidden = session === null;
  if (session === null) {
    document.title = 'Circle27';
    return;
  }
  const word = BADGES[status] ?? 'Connecting…';
  if ($('badge').textContent !== word) $('badge').textContent = word; // a status is read out when it is set
  const isBack = status === 'live' && $('badge').dataset.status !== 'live';
  $('badge').dataset.status = status;
  $('no-slots').hidden = slots.length > 0 || status === 'idle';
  cards.show(slots, session);
  if (isBack) cards.askPresence(); // what was told meanwhile was missed
  tick();
}

function tick() {
  const { session } = circle27;
  if (session === null) return;
  $('day-title').textContent = dayName(circle27.now(), session.timeZone);
  $('clock').textContent = clockTime(circle27.now(), session.timeZone);
  cards.tick();
}

async function begin() {
  show();
  if (circle27.session === null) return;
  circle27.watch();
  await bindAccount(circle27, $('who'));
}

circle27.addEventListener('change', show);
circle27.addEventListener('circle', ({ detail }) => cards.hear(detail));
circle27.addEventListener('presence', ({ detail }) => cards.hearPresence(detail));
circle27.addEventListener('session', ({ detail }) => { if (detail.over) show(); else if (circle27.status === 'idle') begin(); });
addEventListener('storage', () => { if (circle27.session === null) circle27.unwatch(); begin(); }); // another tab signed in or out
setInterval(tick, 1000);

bindSignIn(circle27);
begin();
