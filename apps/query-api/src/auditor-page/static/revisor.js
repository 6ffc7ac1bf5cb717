// @ts-check
// The page of auditors. What is filled in, and what is answered, is kept here only: no address, no storage, no history.

const el = (id) => document.getElementById(id);
const time = (iso) => new Date(iso).toLocaleString('nb-NO', { timeZone: 'Europe/Oslo' });
const number = (n) => n.toLocaleString('nb-NO');

const HOW = { FIKK: 'Fikk opplysninger', AVSLAG: 'Fikk avslag', KAN_HA_FATT: 'Kan ha fått opplysninger' };

/** On the platform a login proxy puts the token on each request, and this page never sees it. */
const login = { byProxy: false, token: '' };
/** What the answer that is shown was asked by; the report is of the same. */
let asked;

async function post(path, body) {
  const response = await fetch(`/revisor/v1/${path}`, {
    method: 'POST',
    cache: 'no-store',
    headers: {
      'content-type': 'application/json',
      ...(login.byProxy ? {} : { authorization: `Bearer ${login.token}` }),
    },
    body: JSON.stringify(body),
  });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw Object.assign(new Error(explain(response.status, problem)), { status: response.status });
}

const FIELDS = {
  person: 'Skriv et fødselsnummer på elleve siffer, eller en deltakerId.',
  begrunnelse: 'Skriv hvorfor du spør: ti til tusen tegn, uten fødselsnummer.',
  fra: 'Fra og med må være en dag.',
  til: 'Til og med må være en dag som ikke er før fra og med.',
  konsument: 'Navnet på konsumenten er for langt.',
};

function explain(status, { detail = '', feil = [], callId = '' }) {
  if (status === 400) return feil.map(({ felt, melding }) => FIELDS[felt] ?? `${felt} ${melding}`).join(' ') || detail;
  if (status === 401) return 'Innloggingen er ikke gyldig her, eller har gått ut. Logg inn igjen.';
  if (status === 403) return `Siden er for revisorer. ${detail}`;
  if (status === 409) return `Ingenting er vist, fordi noe ville ha manglet: ${detail}`;
  return `Det gikk ikke (${status}): ${detail} ${callId}`;
}

function say(text, isError = false) {
  el('melding').textContent = text;
  el('melding').className = isError ? 'feil' : '';
  if (isError) el('melding').scrollIntoView({ block: 'nearest' });
}

/** Runs what a button does, once at a time, with what goes wrong told in words. */
async function perform(work) {
  const buttons = [...document.querySelectorAll('#side button')];
  for (const button of buttons) button.disabled = true;
  say('Leser …');
  try {
    await work();
    say('');
  } catch (error) {
    say(error.message, true);
    if (error.status === 401 || error.status === 403) showLogin();
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

function row(cells) {
  const tr = document.createElement('tr');
  tr.className = 'aksel-table__row';
  for (const { text, isLong = false } of cells) {
    const td = document.createElement('td');
    td.className = `aksel-table__data-cell${isLong ? ' langt' : ''}`;
    td.textContent = text;
    tr.append(td);
  }
  return tr;
}

/** Of who asked from outside of Nav. */
function organisations({ organisasjoner }) {
  const [own, supplier] = organisasjoner ?? [];
  return [...(own ? [`org.nr. ${own}`] : []), ...(supplier ? [`ved leverandør ${supplier}`] : [])];
}

const cell = (text) => ({ text });
const long = (text) => ({ text, isLong: true });

function fill(id, rows) {
  el(id).replaceChildren(...(rows.length > 0 ? rows : [row([cell('Ingen')])]));
}

function show({ deltakerId, antall, grupper, oppslag, ukjenteMaaneder }) {
  el('svar-tittel').textContent = antall === 1 ? 'Ett oppslag' : `${number(antall)} oppslag`;
  el('deltaker').textContent = deltakerId;
  const months = ukjenteMaaneder.map(
    ({ maaned, ogTidligere }) =>
      `${maaned.slice(4)}.${maaned.slice(0, 4)}${ogTidligere ? ' og kanskje tidligere' : ''}`,
  );
  el('mangler').textContent =
    `Ingenting vites lenger om ${months.join(', ')}: månedene er slettet uten å ligge i en fil.`;
  el('mangler').hidden = months.length === 0;
  fill(
    'grupper',
    grupper.map((group) =>
      row([
        cell([group.visningsnavn, ...organisations(group)].join(', ')),
        long([group.behandlingsgrunnlag, group.formaal].filter(Boolean).join(': ')),
        cell(group.operasjon),
        cell(HOW[group.hvordan]),
        cell(number(group.antall)),
        cell(time(group.forste)),
        cell(time(group.siste)),
      ]),
    ),
  );
  el('oppslag-tittel').textContent =
    oppslag.length < antall
      ? `De siste ${number(oppslag.length)}, nyeste først. Spør om færre dager for å se andre.`
      : 'Hvert oppslag, nyeste først';
  fill(
    'oppslag',
    oppslag.map((seen) =>
      row([
        cell(time(seen.tidspunkt)),
        cell([seen.konsument, ...organisations(seen)].join(', ')),
        cell(seen.operasjon),
        cell(HOW[seen.hvordan]),
        long(seen.utvalg ? JSON.stringify(seen.utvalg) : 'personer'),
        long(seen.felter.join(' ')),
        cell(seen.callId),
      ]),
    ),
  );
  el('svar').hidden = false;
  el('svar-tittel').focus();
}

function clearAnswer() {
  asked = undefined;
  el('svar').hidden = true;
  for (const id of ['grupper', 'oppslag', 'deltaker', 'svar-tittel']) el(id).replaceChildren();
}

/** Nothing of a person is left on the page. */
function forget() {
  clearAnswer();
  el('skjema').reset();
}

async function ask() {
  clearAnswer();
  const value = (id) => el(id).value.trim() || undefined;
  const question = { person: value('person'), begrunnelse: value('begrunnelse'), fra: value('fra'), til: value('til') };
  const answer = await post('oppslag', { ...question, konsument: value('konsument') });
  show(await answer.json());
  asked = question;
}

async function saveReport(form) {
  const answer = await post('innsyn', { ...asked, form });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await answer.blob());
  link.download = `innsyn.${form.toLowerCase()}`;
  link.click();
  URL.revokeObjectURL(link.href);
}

function showLogin() {
  forget();
  login.token = '';
  el('innlogging').hidden = false;
  el('innloggingsskjema').hidden = login.byProxy;
  el('innlogging-lenke').hidden = !login.byProxy;
  el('side').hidden = true;
  el('logg-ut').hidden = true;
  (login.byProxy ? el('innlogging-lenke') : el('token')).focus();
}

function showForm() {
  el('innlogging').hidden = true;
  el('side').hidden = false;
  el('logg-ut').hidden = false;
  el('person').focus();
}

el('innloggingsskjema').addEventListener('submit', (event) => {
  event.preventDefault();
  login.token = el('token').value.trim();
  el('token').value = '';
  say('');
  showForm();
});
el('logg-ut').addEventListener('click', () => {
  if (login.byProxy) location.assign('/revisor/oauth2/logout');
  else showLogin();
});
el('skjema').addEventListener('submit', (event) => {
  event.preventDefault();
  void perform(ask);
});
for (const [id, form] of [
  ['pdf', 'PDF'],
  ['json', 'JSON'],
]) {
  el(id).addEventListener('click', () => void perform(() => saveReport(form)));
}
// A page that is left may be kept by the browser, to go back to.
addEventListener('pagehide', forget);

const proxy = await fetch('/revisor/side/innlogging');
// A proxy refuses by itself when nobody has logged in to it.
login.byProxy = !proxy.ok || (await proxy.json()).medProxy;
if (!login.byProxy) showLogin();
else if (proxy.ok) showForm();
else showLogin();
