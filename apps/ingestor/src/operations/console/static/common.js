// @ts-check
// What every part of the page uses.

const TOKEN = 'drift-token';

export const token = {
  finnes: () => sessionStorage.getItem(TOKEN) !== null,
  sett: (verdi) => sessionStorage.setItem(TOKEN, verdi),
  glem: () => sessionStorage.removeItem(TOKEN),
};

export const el = (id) => document.getElementById(id);
export const tid = (iso) => (iso ? new Date(iso).toLocaleString('nb-NO', { timeZone: 'Europe/Oslo' }) : 'aldri');
export const tall = (n) => (n === null ? 'ukjent' : n.toLocaleString('nb-NO'));

/** Of so many seconds, in the largest unit that fits. */
export function varighet(sekunder) {
  if (sekunder === null) return '';
  const enheter = [
    [86_400, 'døgn'],
    [3_600, 'timer'],
    [60, 'minutter'],
  ];
  const [per, navn] = enheter.find(([lengde]) => sekunder >= 2 * lengde) ?? [1, 'sekunder'];
  return `${tall(Math.floor(sekunder / per))} ${navn}`;
}

/** The answer as it stands; `body` is sent as JSON, or as the lines of a file. */
export async function hent(metode, sti, body) {
  const type = body instanceof Blob ? 'application/x-ndjson' : 'application/json';
  const svar = await fetch(`/drift/v1${sti}`, {
    method: metode,
    headers: {
      authorization: `Bearer ${sessionStorage.getItem(TOKEN)}`,
      ...(body ? { 'content-type': type } : {}),
    },
    ...(body ? { body: body instanceof Blob ? body : JSON.stringify(body) } : {}),
  });
  if (svar.ok) return svar;
  const problem = await svar.json().catch(() => ({}));
  const feil = new Error(forklar(svar.status, problem));
  feil.name = String(svar.status);
  throw feil;
}

export async function kall(metode, sti, body) {
  const svar = await hent(metode, sti, body);
  return svar.status === 204 ? undefined : svar.json();
}

function forklar(status, { detail = '', feil = [], callId = '' }) {
  if (status === 401) return 'Tokenet er ikke gyldig her, eller har gått ut. Logg inn igjen.';
  if (status === 403) return 'Tokenet mangler rollen drift.';
  if (status === 409) return 'Noen andre var først, eller holder på. Siden er lest på nytt.';
  const felter = feil.map((en) => `${en.felt} ${en.melding}`).join('; ');
  return `Det gikk ikke (${status}): ${felter || detail} ${callId}`;
}

export function si(tekst, erFeil = false) {
  el('melding').textContent = tekst;
  el('melding').className = erFeil ? 'feil' : '';
  if (erFeil) el('melding').scrollIntoView({ block: 'nearest' });
}

/** What the parts of the page ask the whole of it to do; `side.js` tells how. */
export const siden = {
  lesAlt: async () => {},
  lesHandlinger: async () => {},
  loggUt: () => {},
};

/** Runs what a button does, with what goes wrong told in words. */
export async function gjor(arbeid) {
  si('');
  try {
    await arbeid();
  } catch (feil) {
    si(feil.message, true);
    if (feil.name === '401' || feil.name === '403') siden.loggUt();
    else if (feil.name === '409') {
      for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
      await siden.lesAlt();
    }
  }
}

export function rad(celler) {
  const tr = document.createElement('tr');
  tr.className = 'aksel-table__row';
  for (const innhold of celler) {
    const td = document.createElement('td');
    td.className = 'aksel-table__data-cell';
    td.append(innhold);
    tr.append(td);
  }
  return tr;
}

export function fyllTabell(id, rader, ingen) {
  el(id).replaceChildren(...(rader.length > 0 ? rader : [rad([ingen])]));
}

/** @param hva for those who don't see what it stands beside */
export function knapp(tekst, hva, arbeid) {
  const ny = document.createElement('button');
  ny.type = 'button';
  ny.className = 'aksel-button aksel-button--small';
  ny.dataset.variant = 'tertiary';
  ny.dataset.color = 'accent';
  ny.textContent = tekst;
  ny.setAttribute('aria-label', `${tekst} ${hva}`);
  ny.addEventListener('click', () => gjor(arbeid));
  return ny;
}

/** Terms and what they are, in a `dl`. */
export function fyllFakta(id, fakta) {
  el(id).replaceChildren(
    ...Object.entries(fakta).flatMap(([navn, verdi]) => {
      const dt = document.createElement('dt');
      const dd = document.createElement('dd');
      dt.textContent = navn;
      dd.textContent = verdi;
      return [dt, dd];
    }),
  );
}

for (const lukk of document.querySelectorAll('dialog .lukk')) {
  lukk.addEventListener('click', () => lukk.closest('dialog').close());
}
