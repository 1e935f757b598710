// The clock's panel: on a local stack only (stack/nginx.conf adds this file to the pages there, and nowhere else).
//
// "Play the day" goes through a campus's day in about a minute: in steps while nothing happens, in real time where a
// list closes. All it does is to turn the app clock; every page that is open hears of it.

import { clockTime, dayName } from '/web/words.js';

const STEP_MS = 900;          // between two steps of the play
const STEP = 12 * 60_000;     // how far one goes, app clock
const BEFORE = 3000;          // real time before and after a deadline
const AFTER = 4000;
const HOUR = 3_600_000;

let zone = 'UTC';
let slots = [];
let offset = 0;   // app clock minus the device's
let playing = null;

const now = () => Date.now() + offset;
const rest = (ms) => new Promise((done) => setTimeout(done, ms));

async function turn(to) {
  const p_offset = to === null ? '0' : `${((to - Date.now()) / 1000).toFixed(3)} seconds`;
  const answer = await fetch('/local/clock', { method: 'POST', body: JSON.stringify({ p_offset }) });
  if (!answer.ok) throw new Error((await answer.json()).message);
  offset = Date.parse((await answer.json()).now) - Date.now();
  show();
}

const session = () => JSON.parse(localStorage.getItem('circle27.session'));

/** The slots of a day on the member's campus; what anyone may know. */
async function look(day) {
  const { campusId } = session() ?? { campusId: 'stanford' };
  const query = new URLSearchParams({ p_campus_id: campusId, ...(day && { p_day: day }) });
  const answer = await fetch(`/rest/v1/rpc/time_slots?${query}`);
  if (!answer.ok) return;
  const found = await answer.json();
  zone = found.timeZone;
  slots = found.slots;
  return found;
}

/** The first day from now on, today's included, that is all ahead: its slots are open. */
async function nextDay() {
  const today = await look();
  if (today?.slots.length && today.slots.every((slot) => slot.slotStatus === 'open')) return;
  await look(new Date(Date.parse(`${today.day}T12:00:00Z`) + 24 * HOUR).toISOString().slice(0, 10));
}

async function play() {
  await nextDay();
  if (!slots.length) { playing = null; return; }
  const me = (playing = {});
  show();
  const stops = slots.flatMap((slot) => [Date.parse(slot.deadlineAt), Date.parse(slot.timeSlot), Date.parse(slot.endsAt)]).sort((a, b) => a - b);
  const deadlines = new Set(slots.map((slot) => Date.parse(slot.deadlineAt)));
  let at = stops[0] - 2 * HOUR;
  await turn(at);
  await rest(5000); // time to join
  for (const stop of [...stops, stops.at(-1) + HOUR / 4]) {
    const before = deadlines.has(stop) ? BEFORE : 0;
    while (playing === me && at + STEP < stop - before) {
      at += STEP;
      await turn(at);
      await rest(STEP_MS);
    }
    if (playing !== me) return;
    await turn(stop - before);
    await rest(before + (before ? AFTER : 1500));
    at = Math.max(stop, now());
  }
  playing = null;
  show();
}

const toNext = (key, ms) => async () => {
  await look();
  const next = slots.map((slot) => Date.parse(slot[key])).find((at) => at + ms > now());
  if (next) await turn(next + ms);
};

const BUTTONS = [
  ['Play the day', () => { if (playing) playing = null; else play(); show(); }],
  ['To 5 s before a deadline', toNext('deadlineAt', -5000)],
  ['To the end of a meetup', toNext('endsAt', -2000)],
  ['+1 hour', () => turn(now() + HOUR)],
  ['Real time', () => { playing = null; return turn(null); }],
];

const style = document.createElement('link');
Object.assign(style, { rel: 'stylesheet', href: '/local/panel.css' });
document.head.append(style);

const aside = document.createElement('aside');
const panel = document.createElement('details');
aside.ariaLabel = 'Local clock';
panel.className = 'clock-panel';
const summary = document.createElement('summary');
const body = document.createElement('div');
const time = document.createElement('strong');
const mail = document.createElement('a');
Object.assign(mail, { href: '/mailbox', textContent: 'Mail that was caught', target: '_blank' });
summary.textContent = 'Local clock';
time.className = 'clock-time';
const made = BUTTONS.map(([words, work]) => {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = words;
  button.addEventListener('click', async () => {
    try { await work(); } catch (error) { time.textContent = error.message; }
  });
  return button;
});
body.append(time, ...made, mail);
panel.append(summary, body);
aside.append(panel);
document.body.append(aside);

function show() {
  made[0].textContent = playing ? 'Stop' : 'Play the day';
  time.textContent = `${dayName(now(), zone)}, ${clockTime(now(), zone)}`;
}

/** What the clock shows now: a page that was opened later does not know. */
async function ask() {
  await look();
  if (!session()) return;
  const answer = await fetch('/rest/v1/rpc/get_button_states', { headers: { Authorization: `Bearer ${session().accessToken}` } });
  if (answer.ok) offset = Date.parse((await answer.json()).now) - Date.now();
}

panel.addEventListener('toggle', () => { if (panel.open) ask().finally(show); });
setInterval(() => { if (panel.open) show(); }, 1000);
