// Times and names as people read them, in the time zone of the campus.

const format = (instant, timeZone, options) => new Intl.DateTimeFormat('en-US', { timeZone, ...options }).format(instant);

/** 11 AM, 1:30 PM */
export function hour(instant, timeZone) {
  return format(new Date(instant), timeZone, { hour: 'numeric', minute: '2-digit' }).replace(':00', '');
}

/** 11:04:09 AM */
export const clockTime = (instant, timeZone) => format(instant, timeZone, { hour: 'numeric', minute: '2-digit', second: '2-digit' });

/** Monday, November 23 */
export const dayName = (instant, timeZone) => format(instant, timeZone, { weekday: 'long', month: 'long', day: 'numeric' });

/** 2 h 5 min, 12 min, 40 s */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
}

/** Ann Lee: AL */
export function initials(name) {
  const words = name.trim().split(/\s+/);
  return (words[0][0] + (words.length > 1 ? words.at(-1)[0] : '')).toUpperCase();
}

/** A colour of its own for each member: a hue, 0 to 359. */
export const hue = (id) => [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);

/** What to tell about an error: the server's words, and what to do about it. */
export function trouble(error) {
  if (error.slug === 'rate_limited') return 'That was a lot at once. Try again in a moment.';
  if (error.status) return error.hint ? `${error.message}. ${error.hint}.` : `${error.message}.`;
  return 'The service can’t be reached. Are you online?';
}
