// The dialog that asks how a meeting was: stars, a word on each of the others, and anything else.

import { hour, trouble } from './words.js';

const $ = (id) => document.getElementById(id);
const STARS = ['Poor', 'Fair', 'Good', 'Very good', 'Excellent'];
const CHOICES = [['again', 'Meet again'], ['not', 'Rather not'], ['missing', 'Didn’t come']];
const SAID = { again: { meetAgain: true }, not: { meetAgain: false }, missing: { noShow: true } };

function choice(name, value, words, className) {
  const label = document.createElement('label');
  const input = document.createElement('input');
  const text = document.createElement('span');
  Object.assign(input, { type: 'radio', name, value });
  label.className = className;
  text.textContent = words;
  label.append(input, text);
  return label;
}

function aboutMate({ userId, displayName }) {
  const group = document.createElement('fieldset');
  const legend = document.createElement('legend');
  const row = document.createElement('div');
  group.dataset.user = userId;
  legend.textContent = displayName;
  row.className = 'row choices';
  row.append(...CHOICES.map(([value, words]) => choice(`about-${userId}`, value, words, 'choice')));
  group.append(legend, row);
  return group;
}

export async function showFeedback(circle27, slot) {
  const dialog = $('feedback');
  const form = dialog.querySelector('form');
  const { userId, timeZone } = circle27.session;
  form.reset();
  $('feedback-problem').textContent = '';
  $('feedback-title').textContent = `How was ${hour(slot.timeSlot, timeZone)}?`;
  $('stars').replaceChildren(...STARS.map((words, n) => {
    const star = choice('rating', String(n + 1), `${n + 1} of 5: ${words}`, 'star');
    star.title = words;
    star.querySelector('span').className = 'unseen';
    star.querySelector('input').required = true;
    return star;
  }));
  const legend = $('mates-said').querySelector('legend');
  $('mates-said').replaceChildren(legend);
  dialog.showModal();
  const { members } = await circle27.circle(slot).catch(() => ({ members: [] }));
  const others = members.filter((member) => member.userId !== userId);
  $('mates-said').hidden = others.length === 0;
  $('mates-said').replaceChildren(legend, ...others.map(aboutMate));

  $('feedback-cancel').onclick = () => dialog.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    const about = [...$('mates-said').querySelectorAll('[data-user]')].flatMap((group) => {
      const chosen = group.querySelector('input:checked');
      return chosen ? [{ userId: group.dataset.user, ...SAID[chosen.value] }] : [];
    });
    const rating = Number(form.elements.rating.value);
    try {
      await circle27.giveFeedback(slot, { rating, comment: $('comment').value.trim() || null, about });
      dialog.close();
    } catch (error) {
      $('feedback-problem').textContent = trouble(error);
    }
  };
}
