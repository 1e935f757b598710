// The mail that a local stack has caught, the newest first; looks again each second while it is seen.

const NEWEST = 30;
const list = document.getElementById('mails');
const known = new Map(); // file -> card

/** Mail as the mailer writes it: headers, an empty line, plain text. */
function parse(text) {
  const [head, ...body] = text.split(/\r?\n\r?\n/);
  const header = (name) => (new RegExp(`^${name}: (.*(?:\r?\n[ \t].*)*)`, 'im').exec(head)?.[1] ?? '').replace(/\s+/g, ' ');
  return { to: header('To'), subject: header('Subject'), date: new Date(header('Date')), body: body.join('\n\n').trim() };
}

function element(name, text, className = '') {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

function card({ to, subject, date, body }) {
  const item = element('li', '', 'card mail');
  const row = element('div', '', 'row');
  const more = element('details', '');
  const code = /\b\d{6}\b/.exec(subject)?.[0];
  const time = element('time', date.toLocaleTimeString(), 'muted');
  row.append(element('h2', to), time);
  more.append(element('summary', subject), element('pre', body));
  item.append(row, ...(code ? [element('code', code)] : []), more);
  return item;
}

async function look() {
  const files = (await (await fetch('/local/mails/')).json()).filter((file) => file.type === 'file');
  files.sort((a, b) => Date.parse(b.mtime) - Date.parse(a.mtime) || (a.name < b.name ? 1 : -1));
  const newest = files.slice(0, NEWEST).map((file) => file.name);
  for (const name of newest.filter((each) => !known.has(each)).reverse()) {
    const answer = await fetch(`/local/mails/${encodeURIComponent(name)}`);
    if (!answer.ok) continue;
    known.set(name, card(parse(await answer.text())));
    list.prepend(known.get(name));
  }
  document.getElementById('none').hidden = known.size > 0;
}

async function watch() {
  for (;;) {
    if (!document.hidden) await look().catch(() => {});
    await new Promise((done) => setTimeout(done, 1000));
  }
}
watch();
