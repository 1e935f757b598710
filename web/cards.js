// Today's slots, each a card with the one button. A card stays the same element while it changes, so that focus stays.

import { hour, hue, initials, span, trouble } from './words.js';

const LATE_MS = 2000; // how long an event is waited for
const NEWS = { place_given_up: 'Somebody can’t come', merged: 'Two circles became one' };
const NOTES = { join: 'Open to join', leave: 'You’re on the list', confirmed: 'Your circle is set', feedback: 'How was your circle?' };

export class Cards {
  #cards = new Map(); // instant -> card
  #online = new Set(); // ids of circle-mates who are online

  constructor(list, circle27, { announce, trouble: tell, feedback, giveUp }) {
    Object.assign(this, { list, circle27, announce, tell, feedback, giveUp });
  }

  show(slots, session) {
    this.session = session;
    const wanted = new Set(slots.map((slot) => Date.parse(slot.timeSlot)));
    for (const [at, card] of this.#cards) {
      if (!wanted.has(at)) { card.root.remove(); this.#cards.delete(at); }
    }
    for (const slot of slots) this.#update(slot);
    this.list.append(...slots.map((slot) => this.#cards.get(Date.parse(slot.timeSlot)).root).filter((root) => !root.isConnected));
  }

  #update(slot) {
    const at = Date.parse(slot.timeSlot);
    const card = this.#cards.get(at) ?? this.#make(at);
    const before = card.slot;
    card.slot = slot;
    const name = hour(slot.timeSlot, this.session.timeZone);
    card.hour.textContent = name;
    card.text.textContent = slot.buttonText;
    card.unseen.textContent = `, ${name} meetup`;
    card.middle.textContent = slot.middleText;
    card.note.textContent = this.#note(card);
    card.root.dataset.state = slot.pending ? 'pending' : slot.buttonState;
    card.root.dataset.status = slot.slotStatus;
    card.button.setAttribute('aria-disabled', String(slot.isDisabled || card.busy));
    this.#left(card);
    if (!['confirmed', 'feedback'].includes(slot.buttonState)) card.circle.hidden = true;
    else if (before?.buttonState !== 'leave' || this.circle27.knowsCircle(slot)) this.#seat(card);
    else setTimeout(() => this.#seat(card), LATE_MS); // the event `circle` is on the way: hear() has it sooner
    if (slot.buttonState === 'confirmed') card.button.setAttribute('aria-expanded', String(!card.circle.hidden));
    else card.button.removeAttribute('aria-expanded');
    if (before && (before.buttonText !== slot.buttonText || before.pending !== slot.pending)) {
      this.announce(`${name} meetup: ${slot.pending ? 'Matching' : slot.buttonText}. ${card.note.textContent}`);
    }
  }

  #make(at) {
    const root = document.getElementById('card').content.firstElementChild.cloneNode(true);
    const part = (name) => root.querySelector(`.${name}`);
    const card = {
      root, busy: false, closed: false, alone: false, button: root.querySelector('button'), circle: part('circle'), hour: part('hour'),
      giveUp: part('give-up'), left: part('left'), mates: part('mates'), news: part('news'), middle: part('middle-text'), note: part('note'), spot: part('spot-name'),
      text: part('text'), unseen: root.querySelector('button .unseen'),
    };
    card.hour.id = `slot-${at}`;
    card.circle.id = `circle-${at}`;
    root.setAttribute('aria-labelledby', card.hour.id);
    card.button.setAttribute('aria-controls', card.circle.id);
    card.button.addEventListener('click', () => this.#press(card));
    card.giveUp.addEventListener('click', () => this.giveUp(card.slot));
    this.#cards.set(at, card);
    return card;
  }

  async #press(card) {
    const { slot } = card;
    if (slot.isDisabled || card.busy) return;
    if (slot.buttonState === 'feedback') { this.feedback(slot); return; }
    if (slot.buttonState === 'confirmed') { card.closed = !card.closed; this.#update(slot); return; }
    this.tell('');
    card.busy = true;
    card.button.setAttribute('aria-disabled', 'true');
    try {
      await this.circle27.press(slot);
    } catch (error) {
      this.tell(trouble(error));
    } finally {
      card.busy = false;
      this.#update(card.slot);
    }
  }

  #note({ slot, alone }) {
    if (slot.slotStatus === 'cancelled') return 'Called off';
    if (slot.pending) return 'Forming circles';
    if (alone) return 'Too few people came';
    if (slot.buttonState === 'past') return slot.slotStatus === 'ended' ? 'Over' : 'The list is closed';
    if (slot.buttonState === 'confirmed' && this.circle27.now() >= Date.parse(slot.timeSlot)) return 'You’re meeting now';
    const joined = slot.slotStatus === 'open' ? this.circle27.joined(slot) : undefined;
    return NOTES[slot.buttonState] + (joined ? ` · ${joined} on it` : '');
  }

  /** What the clock changes: how long it still is. */
  tick() {
    for (const card of this.#cards.values()) {
      this.#left(card);
      const note = this.#note(card);
      if (card.note.textContent !== note) card.note.textContent = note;
      card.giveUp.hidden = card.slot.buttonState !== 'confirmed' || this.circle27.now() >= Date.parse(card.slot.timeSlot);
    }
  }

  #left({ slot, left }) {
    const now = this.circle27.now();
    const begins = Date.parse(slot.timeSlot);
    const ends = Date.parse(slot.endsAt);
    let words = '';
    if (['join', 'leave'].includes(slot.buttonState) && !slot.pending) words = `${span(Date.parse(slot.deadlineAt) - now)} left`;
    if (slot.buttonState === 'confirmed') words = now < begins ? `starts in ${span(begins - now)}` : `${span(ends - now)} left`;
    left.textContent = words;
  }

  // --- The circle -------------------------------------------------------------------------------------------------
  /** The event `circle`: seated, or left out and why. */
  hear(seating) {
    const card = this.#cards.get(Date.parse(seating.timeSlot));
    if (!card) return;
    card.alone = seating.circleNo === null;
    this.#update(card.slot);
    if (NEWS[seating.reason]) this.announce(`${card.hour.textContent} meetup: ${NEWS[seating.reason]}.`);
  }

  async #seat(card) {
    card.circle.hidden = card.closed || !card.mates.childElementCount;
    try {
      const circle = await this.circle27.circle(card.slot);
      if (!['confirmed', 'feedback'].includes(card.slot.buttonState)) return;
      card.spot.textContent = circle.spot?.name ?? 'Find each other on campus: no spot was free';
      if (card.shown !== circle) {
        card.shown = circle;
        card.mates.replaceChildren(...circle.members.map((member) => this.#mate(member)));
        card.news.textContent = [NEWS[circle.reason], circle.belowMinimum && 'You are fewer than usual'].filter(Boolean).join('. ');
        this.#ask([card]);
      }
      card.circle.hidden = card.closed;
      if (card.slot.buttonState === 'confirmed') card.button.setAttribute('aria-expanded', String(!card.closed));
    } catch { /* the next change tries again */ }
  }

  #mate({ userId, displayName }) {
    const item = document.createElement('li');
    const face = document.createElement('span');
    const name = document.createElement('span');
    const presence = document.createElement('span');
    face.className = 'face';
    face.ariaHidden = 'true';
    face.textContent = initials(displayName);
    face.style.setProperty('--hue', hue(userId));
    name.textContent = userId === this.session.userId ? `${displayName} (you)` : displayName;
    presence.className = 'unseen presence';
    item.dataset.user = userId;
    item.append(face, name, presence);
    this.#mark(item);
    return item;
  }

  // --- Presence: asked when a circle is shown and on each connect, then told ------------------------------------------
  askPresence() { return this.#ask([...this.#cards.values()]); }

  async #ask(cards) {
    const items = cards.flatMap((card) => [...card.mates.children]);
    const others = [...new Set(items.map((item) => item.dataset.user))].filter((id) => id !== this.session.userId);
    if (!others.length) return;
    const answer = await this.circle27.call('get_online_users', { p_user_ids: others }).catch(() => null);
    if (!answer) return; // the next connect asks again
    for (const id of others) this.#online[answer.online.includes(id) ? 'add' : 'delete'](id);
    this.#markAll();
  }

  hearPresence({ userId, online }) {
    this.#online[online ? 'add' : 'delete'](userId);
    this.#markAll();
  }

  #markAll() { for (const item of this.list.querySelectorAll('.mates li')) this.#mark(item); }

  #mark(item) {
    const online = this.#online.has(item.dataset.user);
    item.classList.toggle('online', online);
    item.querySelector('.presence').textContent = online ? ', online' : '';
  }
}
