// The operators' page: the day in numbers, asked for each five seconds while it is seen.

import { Circle27 } from './circle27.js';
import { line, steps } from './plots.js';
import { why } from './why.js';
import { clockTime, dayName, hour, trouble } from './words.js';

const EACH_MS = 5000;
const ROOM = 60; // samples that a plot shows: five minutes
const DAY_MS = 86400000;

const circle27 = new Circle27({ storage: localStorage });
const $ = (id) => document.getElementById(id);
const samples = { lag: [], held: [], calls: [] };
let chosen = null; // a day; null: today
let day = null;    // what was answered last
let timer;

function element(name, text = '', className = '') {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

/** Streams that this gateway holds; what nchan says of itself. */
async function held() {
  const headers = { Authorization: `Bearer ${circle27.session.accessToken}` };
  const answer = await fetch('/operator/connections', { headers });
  return answer.ok ? Number(/^subscribers: (\d+)/m.exec(await answer.text())?.[1]) : NaN;
}

async function look() {
  clearTimeout(timer);
  try {
    const began = performance.now();
    day = await circle27.call('operator_day', chosen ? { p_day: chosen } : {}, { tries: 1 });
    keep('calls', performance.now() - began);
    keep('lag', day.outbox.oldestSeconds ?? 0);
    keep('held', await held());
    $('problem').textContent = '';
    $('badge').textContent = 'Every 5 seconds';
    $('badge').dataset.status = 'live';
    show();
  } catch (error) {
    $('badge').textContent = 'Not up to date';
    $('badge').dataset.status = 'reconnecting';
    $('problem').textContent = trouble(error);
    $('shown').hidden ||= [401, 403].includes(error.status);
  }
  if (circle27.session) timer = setTimeout(look, EACH_MS);
}

function keep(name, value) {
  if (Number.isFinite(value)) samples[name] = [...samples[name], value].slice(-ROOM);
}

function show() {
  const { timeZone } = day;
  $('shown').hidden = false;
  $('day-title').textContent = dayName(Date.parse(`${day.day}T12:00:00Z`), 'UTC');
  $('campus').textContent = `${day.campusId}, it is`;
  $('clock').textContent = clockTime(Date.parse(day.now), timeZone);
  const lag = samples.lag.at(-1) ?? 0;
  $('tiles').replaceChildren(
    tile('Held streams', samples.held.at(-1) ?? '–', '', 'held'),
    tile('Oldest event waits', lag < 1 ? Math.round(lag * 1000) : lag.toFixed(1), lag < 1 ? 'ms' : 's', 'lag'),
    tile('Events that wait', day.outbox.waiting >= 1000 ? '1000+' : day.outbox.waiting, ''),
    tile('This call took', Math.round(samples.calls.at(-1)), 'ms', 'calls'),
  );
  const focused = $('slots').contains(document.activeElement) && document.activeElement.getAttribute('aria-label');
  $('slots').replaceChildren(...day.slots.map((slot) => card(slot, timeZone)));
  if (focused) $('slots').querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  if (!day.slots.length) $('slots').append(element('li', 'No meetups on this day.', 'muted'));
  $('limits').replaceChildren(...day.limits.map(limit));
}

function tile(title, value, unit, plot) {
  const made = element('div', '', 'tile');
  const number = element('p', String(value), 'value');
  number.append(element('span', unit, 'unit'));
  made.append(element('h3', title), number);
  if (plot && samples[plot].length) made.append(line(samples[plot], Math.max(samples[plot].length, 12), `${title}: the last five minutes`));
  return made;
}

function card(slot, timeZone) {
  const item = element('li', '', 'slot');
  const head = element('header');
  const status = element('span', slot.slotStatus, 'pill');
  const name = hour(slot.timeSlot, timeZone);
  status.dataset.status = slot.slotStatus;
  head.append(element('h3', name), status);
  item.append(head, ...curve(slot, name, timeZone), facts(slot));
  if (slot.match?.quality && slot.match.circles) item.append(reasons(slot, name, timeZone));
  return item;
}

/** How the list filled, from the first who came to the deadline. */
function curve(slot, name, timeZone) {
  const points = slot.filled.map(({ until, onList }) => [Date.parse(until), onList]);
  if (!points.length) return [element('p', 'Nobody has come yet.', 'muted')];
  const deadline = Date.parse(slot.deadlineAt);
  const from = Math.min(points[0][0] - 900000, deadline - 3 * 3600000);
  const to = deadline + 900000;
  const mark = { deadline, now: Math.min(Date.parse(day.now), to) };
  const axis = element('div', '', 'axis');
  const begins = deadline - from > DAY_MS ? dayName(from, timeZone) : hour(from, timeZone);
  axis.append(element('span', begins), element('span', `closes ${hour(deadline, timeZone)}`));
  return [steps(points, from, to, mark, `${slot.onList} on the list for ${name}, as it filled until the deadline`), axis];
}

function facts({ onList, left, match, feedbackCount, averageRating }) {
  const list = document.createElement('dl');
  const rows = [['On the list', onList], ['Have left', left]];
  if (match) {
    rows.push(['Circles', match.circles], ['Left out', match.leftOut], ['Pairs who had met', match.repeatedPairs]);
    // Of an invented past (circle27 seed) nothing is known.
    if (match.quality) {
      const costs = Object.values(match.quality.cost);
      rows.push(['At least', match.quality.lowerBound], ['Cost', costs.reduce((sum, cost) => sum + cost, 0)]);
    }
    rows.push(['Without a spot', match.circlesWithoutSpot]);
  }
  if (feedbackCount) rows.push(['Feedback', `${feedbackCount}, ${averageRating} on average`]);
  for (const [term, value] of rows) list.append(element('dt', term), element('dd', String(value)));
  return list;
}

function reasons(slot, name, timeZone) {
  const button = element('button', 'Why these circles?', 'button');
  button.type = 'button';
  button.setAttribute('aria-label', `Why these circles for ${name}?`);
  button.addEventListener('click', () => why(circle27, slot, timeZone));
  return button;
}

function limit({ tier, callsAMinute, callers, empty }) {
  const row = document.createElement('tr');
  const bar = element('div', '', 'bar');
  const most = Math.max(...day.limits.map((each) => each.callers), 1);
  for (const count of [callers - empty, empty]) {
    const part = document.createElement('i');
    part.style.width = `${(100 * count) / most}%`;
    bar.append(part);
  }
  row.append(...[tier, callsAMinute, callers, empty].map((text) => element('td', String(text))), element('td'));
  row.lastChild.append(bar);
  return row;
}

function turnTo(days) {
  return () => {
    chosen = days === null ? null : new Date(Date.parse(`${day?.day ?? chosen}T12:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
    look();
  };
}

$('day-before').addEventListener('click', turnTo(-1));
$('today').addEventListener('click', turnTo(null));
$('day-after').addEventListener('click', turnTo(1));
document.addEventListener('visibilitychange', () => { if (document.hidden) clearTimeout(timer); else look(); });

if (circle27.session) look();
else $('problem').textContent = 'Sign in on the first page, as an operator of the campus.';
