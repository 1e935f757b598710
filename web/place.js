// The dialog behind “I can’t come”: a place that is given up is not given back, so it asks once more.

import { hour, trouble } from './words.js';

const $ = (id) => document.getElementById(id);

export function askToGiveUp(circle27, slot) {
  const dialog = $('give-up');
  const name = hour(slot.timeSlot, circle27.session.timeZone);
  $('give-up-title').textContent = `Give up your place at ${name}?`;
  $('give-up-problem').textContent = '';
  $('give-up-cancel').onclick = () => dialog.close();
  dialog.querySelector('form').onsubmit = async (event) => {
    event.preventDefault();
    try {
      await circle27.cancelPlace(slot);
      dialog.close();
    } catch (error) {
      $('give-up-problem').textContent = trouble(error);
    }
  };
  dialog.showModal();
}
