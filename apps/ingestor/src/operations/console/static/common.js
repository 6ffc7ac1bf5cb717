// @ts-check
// What every part of the page uses.

/**
 * On the platform a login proxy puts the token on each request, and this page never sees it. Without one it is pasted, and
 * kept here only: no other page of this origin can read it, and it is gone with a reload.
 */
export const login = { byProxy: false, token: '', isIn: false };

const LOGGED_OUT = 'logged out';

export const el = (id) => document.getElementById(id);
export const time = (iso) => (iso ? new Date(iso).toLocaleString('nb-NO', { timeZone: 'Europe/Oslo' }) : 'aldri');
export const number = (n) => (n === null ? 'ukjent' : n.toLocaleString('nb-NO'));

/** Of so many seconds, in the largest unit that fits. */
export function duration(seconds) {
  if (seconds === null) return '';
  const units = [
    [86_400, 'døgn'],
    [3_600, 'timer'],
    [60, 'min'],
  ];
  const [per, name] = units.find(([length]) => seconds >= 2 * length) ?? [1, 'sek'];
  return `${number(Math.floor(seconds / per))} ${name}`;
}

/** The answer as it stands; `body` is sent as JSON, or as the lines of a file. */
export async function get(method, path, body) {
  // What had begun when somebody logged out asks for nothing more.
  if (!login.isIn) throw Object.assign(new Error('Logget ut'), { name: LOGGED_OUT });
  const type = body instanceof Blob ? 'application/x-ndjson' : 'application/json';
  const response = await fetch(`/drift/v1${path}`, {
    method,
    headers: {
      ...(login.byProxy ? {} : { authorization: `Bearer ${login.token}` }),
      ...(body ? { 'content-type': type } : {}),
    },
    ...(body ? { body: body instanceof Blob ? body : JSON.stringify(body) } : {}),
  });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const error = new Error(explain(response.status, problem));
  error.name = String(response.status);
  throw error;
}

export async function call(method, path, body) {
  const response = await get(method, path, body);
  return response.status === 204 ? undefined : response.json();
}

function explain(status, { detail = '', feil = [], callId = '' }) {
  if (status === 401) return 'Innloggingen er ikke gyldig her, eller har gått ut. Logg inn igjen.';
  if (status === 403) return `Siden er for personer på vakt. ${detail}`;
  if (status === 409) return 'Noen andre var først, eller holder på. Siden er lest på nytt.';
  const fields = feil.map((one) => `${one.felt} ${one.melding}`).join('; ');
  return `Det gikk ikke (${status}): ${fields || detail} ${callId}`;
}

/** A file that the service makes, with the token of who asks. */
export async function save(path, name) {
  const answer = await get('GET', path);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

export function say(text, isError = false) {
  el('melding').textContent = text;
  el('melding').className = isError ? 'feil' : '';
  if (isError) el('melding').scrollIntoView({ block: 'nearest' });
}

/** What the parts of the page ask the whole of it to do; `console.js` tells how. */
export const page = {
  readAll: async () => {},
  readActions: async () => {},
  logOut: () => {},
};

/** Runs what a button does, with what goes wrong told in words. */
export async function perform(work) {
  say('');
  try {
    await work();
  } catch (error) {
    if (error.name === LOGGED_OUT) return;
    say(error.message, true);
    if (error.name === '401' || error.name === '403') page.logOut();
    else if (error.name === '409') {
      for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
      await page.readAll();
    }
  }
}

export function row(cells) {
  const tr = document.createElement('tr');
  tr.className = 'aksel-table__row';
  for (const content of cells) {
    const td = document.createElement('td');
    td.className = 'aksel-table__data-cell';
    td.append(content);
    tr.append(td);
  }
  return tr;
}

export function fillTable(id, rows, whenEmpty) {
  el(id).replaceChildren(...(rows.length > 0 ? rows : [row([whenEmpty])]));
}

/** @param what for those who don't see what it stands beside */
export function button(text, what, work) {
  const element = document.createElement('button');
  element.type = 'button';
  element.className = 'aksel-button aksel-button--small';
  element.dataset.variant = 'tertiary';
  element.dataset.color = 'accent';
  element.textContent = text;
  element.setAttribute('aria-label', `${text} ${what}`);
  element.addEventListener('click', () => perform(work));
  return element;
}

/** Terms and what they are, in a `dl`. */
export function fillFacts(id, facts) {
  el(id).replaceChildren(
    ...Object.entries(facts).flatMap(([name, value]) => {
      const dt = document.createElement('dt');
      const dd = document.createElement('dd');
      dt.textContent = name;
      dd.textContent = value;
      return [dt, dd];
    }),
  );
}

for (const closer of document.querySelectorAll('dialog .lukk')) {
  closer.addEventListener('click', () => closer.closest('dialog').close());
}
