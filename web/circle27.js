// A client of Circle27 without dependencies, to use or to copy. It knows nothing of a page; app.js is one.
//
//   const circle27 = new Circle27({ storage: localStorage });
//   circle27.addEventListener('change', () => show(circle27.slots, circle27.status));
//   await circle27.requestCode('ann@stanford.edu');
//   await circle27.verifyCode('ann@stanford.edu', '123456');
//   circle27.watch();
//   await circle27.press(circle27.slots[0]);
//
// The rules that keep it right (docs/events.md): subscribe, then fetch, on every connect. Of two states of a slot the
// greater version counts. The server's clock counts, never the device's. Whatever many devices would do in the same
// moment, each does after a random wait of its own.

const JITTER_MS = 5000;   // over which devices spread what they all would do at once
const LATE_MS = 2000;     // an event that is later than this is asked for
const SILENCE_MS = 40000; // a stream says something every 15 s; a longer silence is a dead line
const TRIES = 3;          // after so many streams that failed in a row it polls, and tries a stream once a minute or so
const KEY = 'circle27.session';
const OVER = ['session_over', 'refresh_token_reused', 'account_deleted', 'token_invalid'];
const WRITES = { join: 'join_waitlist', leave: 'leave_waitlist' };

const jitter = (ms) => Math.random() * ms;

/** What the server refused: status, slug (docs/error_codes.md), and words for people. */
export class ClientRefusal extends Error {
  constructor(status, body, retryAfter) {
    super(body?.message ?? 'The service gave no answer');
    Object.assign(this, { status, slug: body?.details, code: body?.code, hint: body?.hint, retryAfter });
  }

  static async of(answer) {
    return new ClientRefusal(answer.status, await answer.json().catch(() => null), Number(answer.headers.get('Retry-After')));
  }
}

export class Circle27 extends EventTarget {
  status = 'idle'; // live | reconnecting | polling
  #url;
  #storage;
  #slots = [];
  #circles = new Map(); // instant -> whom one meets
  #joined = new Map();  // instant -> how many are on the list, since it was told
  #skew = 0;            // server's clock minus performance.now()
  #day = '';            // the campus's day that is shown
  #zone = 0;            // how far the campus is behind UTC, ms
  #late = 0;            // how often in a row an event had to be asked for
  #synced = Promise.resolve();
  #refreshed = Promise.resolve();
  #watch = null;        // what ends the watching
  #line = null;         // what ends the stream that is open
  #wake = () => {};     // what ends the waiting for the next try
  #planned;             // timers: what changes by itself next, and when to ask
  #asking;

  /** `storage` keeps the session: localStorage, sessionStorage, or nothing (then it lives as long as this object). */
  constructor({ url = '', storage = new Memory() } = {}) {
    super();
    this.#url = url;
    this.#storage = storage;
  }

  get slots() { return this.#slots; }
  get session() { return JSON.parse(this.#storage.getItem(KEY)); }

  /** The server's app clock, in milliseconds. */
  now() { return this.#skew + performance.now(); }

  // --- Signing in -------------------------------------------------------------------------------------------------
  requestCode(email) { return this.call('request_login_code', { p_email: email }); }

  async verifyCode(email, code) {
    this.#keep(await this.call('verify_login_code', { p_email: email, p_code: code }));
  }

  async signOut() {
    try { await this.call('sign_out'); } finally { this.#forget(); }
  }

  #keep(tokens) {
    const { accessToken, refreshToken, userId, campusId, timeZone, expiresIn } = tokens;
    const renewAt = Date.now() + expiresIn * (800 + jitter(150)); // 80 to 95 % of its life
    this.#storage.setItem(KEY, JSON.stringify({ accessToken, refreshToken, userId, campusId, timeZone, renewAt }));
    this.#tell('session', { over: false });
  }

  #forget() {
    this.unwatch();
    this.#storage.removeItem(KEY);
    this.#slots = [];
    this.#circles.clear();
    this.#joined.clear();
    this.#tell('session', { over: true });
  }

  /** The session, with a token that is good for a while; null: nobody is signed in. */
  async #fresh() {
    const { session } = this;
    if (session && session.renewAt < Date.now()) await this.#refresh(session).catch(() => {});
    return this.session;
  }

  /** A refresh token counts once: one call at a time, over all tabs, and none if another one was faster. */
  #refresh(old) {
    const work = async () => {
      if (this.session?.refreshToken !== old.refreshToken) return;
      this.#keep(await this.#send('refresh_session', { p_refresh_token: this.session.refreshToken }));
    };
    const locks = globalThis.navigator?.locks;
    return locks ? locks.request(KEY, work) : (this.#refreshed = this.#refreshed.catch(() => {}).then(work));
  }

  // --- Calls ------------------------------------------------------------------------------------------------------
  /** Call a function. All may be repeated, so what got no answer is asked again. Throws ClientRefusal. */
  async call(name, args = {}, { method = 'POST', tries = 3 } = {}) {
    const session = await this.#fresh();
    try {
      return await this.#send(name, args, method, session?.accessToken);
    } catch (error) {
      if (error.code === 'PGRST301' && session && tries) { // the token has expired
        await this.#refresh(session);
        return this.call(name, args, { method, tries: 0 });
      }
      if (OVER.includes(error.slug)) this.#forget();
      if (tries <= 1 || ![undefined, 503, 504].includes(error.status)) throw error; // undefined: no answer at all
      await new Promise((done) => setTimeout(done, 1000 * (error.retryAfter || 4 - tries) + jitter(1000)));
      return this.call(name, args, { method, tries: tries - 1 });
    }
  }

  async #send(name, args, method = 'POST', token = null) {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const inQuery = method === 'GET' ? `?${new URLSearchParams(args)}` : '';
    const body = method === 'GET' ? {} : { body: JSON.stringify(args) };
    if (body.body) headers['Content-Type'] = 'application/json';
    const answer = await fetch(`${this.#url}/rest/v1/rpc/${name}${inQuery}`, { method, headers, ...body });
    if (!answer.ok) throw await ClientRefusal.of(answer);
    return answer.status === 204 ? null : answer.json();
  }

  /** Do what the button of this slot says: join or leave. (`confirmed` and `feedback` are for a page to open.) */
  async press(slot) {
    try {
      this.#apply(await this.call(WRITES[slot.buttonState], { p_time_slot: slot.timeSlot }));
    } catch (error) {
      if (error.status === 409) await this.sync(); // it has changed meanwhile
      throw error;
    }
  }

  async giveFeedback(slot, { rating, comment = null, about = [] }) {
    const said = { p_time_slot: slot.timeSlot, p_rating: rating, p_comment: comment, p_about: about };
    this.#apply(await this.call('submit_feedback', said));
  }

  /** "I can't come": give up one's place in a circle, for good. */
  async cancelPlace(slot) {
    this.#apply(await this.call('cancel_place', { p_time_slot: slot.timeSlot }));
  }

  /** How many are on the list of a slot; undefined until a stream told it. */
  joined(slot) { return this.#joined.get(Date.parse(slot.timeSlot)); }

  /** Whether the circle of a slot is known without asking. */
  knowsCircle(slot) { return this.#circles.has(Date.parse(slot.timeSlot)); }

  /** Whom one meets in a slot, and where; asked for once, unless the stream told it. */
  async circle(slot) {
    const at = Date.parse(slot.timeSlot);
    if (!this.#circles.has(at)) {
      const asked = this.call('my_circle', { p_time_slot: slot.timeSlot }, { method: 'GET' });
      asked.catch(() => this.#circles.delete(at));
      this.#circles.set(at, asked);
    }
    return this.#circles.get(at);
  }

  // --- What is shown ----------------------------------------------------------------------------------------------
  /** Fetch the day. One after the other, so that no older answer comes after a newer one. */
  sync() {
    return (this.#synced = this.#synced.catch(() => {}).then(async () => {
      const sent = performance.now();
      const { now, slots } = await this.call('get_button_states', {}, { method: 'GET' });
      this.#skew = Date.parse(now) - (sent + performance.now()) / 2;
      this.#day = now.slice(0, 10);
      this.#zone = behind(now);
      const known = new Map(this.#slots.map((slot) => [Date.parse(slot.timeSlot), slot]));
      this.#show(slots.map((slot) => {
        const old = known.get(Date.parse(slot.timeSlot));
        return old && old.version > slot.version ? old : shown(slot); // of equal ones the later: time has passed
      }));
    }));
  }

  #apply(state) {
    this.#show(this.#slots.map((old) => (same(old, state) && state.version > old.version ? shown(state) : old)));
  }

  #show(slots) {
    this.#slots = slots;
    if (!slots.some((slot) => slot.pending)) this.#late = 0;
    this.#tell('change');
    this.#plan();
  }

  /** One timer, for what changes by itself next: a button, or the day. */
  #plan() {
    clearTimeout(this.#planned);
    if (!this.#watch) return;
    const midnight = Date.parse(`${this.#day}T00:00:00Z`) + 86400000 + this.#zone + jitter(60000);
    const next = Math.min(midnight, ...this.#slots.map((slot) => Date.parse(slot.changesAt ?? '') || Infinity));
    this.#planned = setTimeout(() => this.#due(), Math.max(next - this.now(), 0));
  }

  #due() {
    const now = this.now();
    const live = this.status === 'live';
    let wait = null; // until it is asked; null: nothing to ask
    this.#slots = this.#slots.map((slot) => {
      if (!slot.changesAt || Date.parse(slot.changesAt) > now) return slot;
      if (slot.buttonState === 'join') return closed(slot);
      if (slot.buttonState === 'leave' && !slot.pending && live) { // its event is on the way
        return shown({ ...slot, pending: true, slotStatus: 'matching', changesAt: new Date(now + LATE_MS).toISOString() });
      }
      const spread = slot.pending && live ? 1000 * 2 ** Math.min(this.#late++, 5) : JITTER_MS;
      wait = Math.min(wait ?? Infinity, jitter(spread));
      return slot.buttonState === 'leave' ? shown({ ...slot, pending: true, changesAt: null }) : { ...slot, changesAt: null };
    });
    if (new Date(now - this.#zone).toISOString().slice(0, 10) > this.#day) wait ??= 0;
    this.#show(this.#slots);
    if (wait !== null) this.#ask(wait);
  }

  /** Fetch the day after a wait; if that fails, again later. */
  #ask(wait) {
    clearTimeout(this.#asking);
    this.#asking = setTimeout(() => this.sync().catch(() => this.#watch && this.#ask(JITTER_MS + jitter(JITTER_MS))), wait);
  }

  // --- The stream -------------------------------------------------------------------------------------------------
  /** Keep `slots` as they are on the server, until unwatch() or the end of the session. */
  watch() {
    if (this.#watch) return;
    this.#watch = new AbortController();
    const { signal } = this.#watch;
    globalThis.addEventListener?.('online', () => setTimeout(() => this.#wake(), jitter(1000)), { signal });
    globalThis.addEventListener?.('offline', () => this.#line.abort(), { signal });
    this.#listen(signal);
  }

  unwatch() {
    this.#watch?.abort();
    this.#watch = null;
    this.#line?.abort();
    this.#wake();
    clearTimeout(this.#planned);
    clearTimeout(this.#asking);
    this.#become('idle');
  }

  async #listen(over) {
    for (let failed = 0; !over.aborted;) {
      this.#line = new AbortController();
      try {
        for await (const [event, data] of this.#events(this.#line)) {
          if (event) { this.#hear(event, data); continue; }
          await this.sync(); // the line is open: subscribe first, then fetch
          failed = 0;
          this.#become('live');
        }
      } catch (error) {
        if (error.code === 'PGRST301') await this.#refresh(this.session).catch(() => {});
        if (OVER.includes(error.slug)) this.#forget();
      }
      this.#line.abort();
      if (over.aborted) return;
      failed += 1;
      // Where calls come through and streams do not, it polls.
      const calls = failed >= TRIES && await this.sync().then(() => true, () => false);
      if (!over.aborted) this.#become(calls ? 'polling' : 'reconnecting');
      await new Promise((done) => {
        this.#wake = done;
        setTimeout(done, jitter(JITTER_MS * Math.min(2 ** (failed - 1), 12)));
      });
    }
  }

  /** Yield [event, data] of one stream; first [] once, when it is open. The token goes in a header, so no log has it. */
  async* #events(line) {
    const session = await this.#fresh();
    const headers = { Accept: 'text/event-stream', Authorization: `Bearer ${session?.accessToken}` };
    let watchdog = setTimeout(() => line.abort(), SILENCE_MS / 4);
    try {
      const answer = await fetch(`${this.#url}/realtime/v1/stream`, { headers, signal: line.signal, cache: 'no-store' });
      if (!answer.ok) throw await ClientRefusal.of(answer);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let text = '', open = false; ;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => line.abort(), SILENCE_MS);
        if (!open) { open = true; yield []; }
        const parts = (text + value).split('\n\n');
        text = parts.pop();
        for (const part of parts) {
          const [, event] = /^event: (.*)$/m.exec(part) ?? [];
          const [, data] = /^data: (.*)$/m.exec(part) ?? [];
          if (event && data) yield [event, JSON.parse(data)];
        }
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  #hear(event, data) {
    if (event === 'button') this.#apply(data);
    if (event === 'slot') this.#hearSlot(data);
    if (event === 'circle' && data.circleNo !== null) this.#circles.set(Date.parse(data.timeSlot), data);
    if (event === 'clock') this.#ask(0);
    if (event === 'session' && data.over) this.#forget(); // else the stream's token has run out: the next one is fresh
    this.#tell(event, data);
  }

  /** What all may know of a slot. Who is on its list hears `button`, and waits for it. */
  #hearSlot(facts) {
    const slot = this.#slots.find((each) => same(each, facts));
    this.#joined.set(Date.parse(facts.timeSlot), facts.joined);
    if (!slot && facts.timeSlot.startsWith(this.#day)) this.#ask(jitter(JITTER_MS)); // a new one, today
    if (['join', 'past'].includes(slot?.buttonState) && facts.slotStatus !== 'open') this.#apply({ ...closed(slot), ...facts });
  }

  #become(status) {
    if (this.status === status) return;
    this.status = status;
    this.#tell('change');
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}

const same = (a, b) => Date.parse(a.timeSlot) === Date.parse(b.timeSlot);

/** While circles are being formed the old button stays, disabled. */
function shown(slot) {
  if (!slot.pending) return slot;
  return { ...slot, buttonState: 'leave', buttonText: 'Can\'t Go', isDisabled: true, middleText: 'Matching…' };
}

/** What a slot that one has not joined says from its deadline on: the one thing that a client works out itself. */
function closed(slot) {
  const words = { buttonState: 'past', buttonText: 'Past', isDisabled: true, slotStatus: 'matching', changesAt: null };
  return { ...slot, ...words, middleText: slot.middleText.replace('Decide by', 'Closed at') };
}

/** How far a zone is behind UTC, in milliseconds, by the offset of one of its instants. */
function behind(instant) {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(instant);
  return (sign === '+' ? -1 : 1) * (hours * 60 + Number(minutes)) * 60000;
}

class Memory {
  #kept = new Map();
  getItem(key) { return this.#kept.get(key) ?? null; }
  setItem(key, value) { this.#kept.set(key, value); }
  removeItem(key) { this.#kept.delete(key); }
}
