// Why these people sit together: one circle at a time, in the words of explain_circle.

import { hour, trouble } from './words.js';

const $ = (id) => document.getElementById(id);
let shown = null; // { circle27, slot, timeZone, circleNo }

/** Show a slot's first circle, below the slots; it stays while the numbers above change. */
export async function why(circle27, slot, timeZone) {
  shown = { circle27, slot, timeZone, circleNo: 1 };
  await look();
  $('why-title').focus();
}

async function look() {
  const { circle27, slot, timeZone, circleNo } = shown;
  let circle = { people: [], reasons: [] };
  let problem = '';
  try {
    circle = await circle27.call('explain_circle', { p_time_slot: slot.timeSlot, p_circle_no: circleNo });
  } catch (error) {
    problem = trouble(error);
  }
  if (shown?.circleNo !== circleNo || shown.slot !== slot) return; // the next one was asked for meanwhile
  $('why').hidden = false;
  $('why-title').textContent = `${hour(slot.timeSlot, timeZone)}: circle ${circleNo} of ${slot.match.circles}`;
  $('why-people').textContent = circle.people.map(({ displayName }) => displayName).join(', ');
  $('why-reasons').replaceChildren(...circle.reasons.map((reason) => {
    const item = document.createElement('li');
    item.textContent = reason;
    return item;
  }));
  $('why-problem').textContent = problem;
}

function turn(step) {
  return () => {
    const { circles } = shown.slot.match;
    shown.circleNo = ((shown.circleNo - 1 + step + circles) % circles) + 1;
    look();
  };
}

$('why-before').addEventListener('click', turn(-1));
$('why-after').addEventListener('click', turn(1));
$('why-close').addEventListener('click', () => { shown = null; $('why').hidden = true; });
