// @ts-check
// The front page. On a local stack it asks the service itself; elsewhere nobody who only looks has a token, and it shows
// answers that were recorded.
import { showCode, showJson } from './kode.js';
import { QUESTIONS, today } from './spor.js';

const el = (id) => document.getElementById(id);
const EVERY_MS = 5_000;
/** Beyond these the data is late, and very late; seconds. */
const LATE = 60;
const VERY_LATE = 600;

let now;
let readAt = 0;

async function readNow() {
  try {
    const answer = await fetch('/forside/naa');
    if (!answer.ok) throw new Error(String(answer.status));
    now = await answer.json();
    readAt = performance.now();
    el('lest').textContent = `· lest ${new Date().toLocaleTimeString('nb-NO', { timeZone: 'Europe/Oslo' })}`;
    el('organisasjon').textContent = `Organisasjon ${now.organisasjon}`;
  } catch {
    el('lest').textContent = '· får ikke svar, prøver igjen';
  }
  showNow();
}

function showNow() {
  if (now === undefined) return;
  const { alderSekunder: age, dataOppdatert } = now;
  if (age === null) {
    el('prikk').dataset.tilstand = 'obs';
    el('ferskhet-ord').textContent = 'Første innlasting pågår';
    return;
  }
  const seconds = age + (performance.now() - readAt) / 1_000;
  const state = seconds > VERY_LATE ? 'feil' : seconds > LATE ? 'obs' : 'bra';
  el('prikk').dataset.tilstand = state;
  el('ferskhet-ord').textContent = { bra: 'Alt er med', obs: 'Litt på etterskudd', feil: 'På etterskudd' }[state];
  el('alder').textContent = inWords(seconds);
  el('oppdatert-til').textContent =
    `Oppdatert til ${new Date(dataOppdatert).toLocaleString('nb-NO', { timeZone: 'Europe/Oslo', dateStyle: 'medium', timeStyle: 'medium' })}`;
}

function inWords(seconds) {
  if (seconds < 60)
    return `${Math.max(0, seconds).toLocaleString('nb-NO', { minimumFractionDigits: 1, maximumFractionDigits: 1 })} sek`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} timer`;
  return `${Math.round(seconds / 86_400)} døgn`;
}

/** The answers, real or recorded, by question. */
const exchanges = new Map();
let token;
let known = { persons: [], bedriftNr: '', today: today() };
let shown = 0;

async function ask({ method, path, body }) {
  const asked = performance.now();
  const answer = await fetch(path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const content = await answer.json();
  return { ok: answer.ok, status: answer.status, content, ms: performance.now() - asked };
}

/** Whom there is something to say about: people who are on a measure today, and one of their employers. */
async function findSomebody() {
  const day = known.today;
  const search = { statuser: ['GJENNOMFORES'], periode: { fra: day, til: day }, antall: 5 };
  const { ok, content } = await ask({ method: 'POST', path: '/api/v1/avtaler/sok', body: search });
  const found = ok ? content.avtaler : [];
  const persons = [...new Set(found.map(({ deltakerFnr }) => deltakerFnr).filter(Boolean))].slice(0, 3);
  known = {
    ...known,
    persons: persons.length > 0 ? persons : ['08859438653'],
    bedriftNr: found[0]?.bedriftNr ?? '910825518',
  };
}

async function exchangeFor(question) {
  const before = exchanges.get(question.id);
  if (before) return before;
  const request = question.request(known);
  const answer = await ask(request);
  const exchange = { request, ...answer };
  exchanges.set(question.id, exchange);
  return exchange;
}

async function show(index) {
  shown = index;
  const question = QUESTIONS[index];
  for (const [n, tab] of [...el('valg').children].entries()) {
    tab.setAttribute('aria-selected', String(n === index));
    tab.tabIndex = n === index ? 0 : -1;
  }
  el('utveksling').setAttribute('aria-labelledby', `valg-${index}`);
  el('prov-selv').href = `/swagger#/${question.operation}`;
  try {
    const exchange = await exchangeFor(question);
    if (shown === index) showExchange(question, exchange);
  } catch {
    el('ord').dataset.tilstand = 'feil';
    el('ord').textContent = 'Får ikke svar. Prøv igjen om litt.';
  }
}

function showExchange(question, { request, ok, status, content, ms }) {
  const [headline, more] = ok ? question.tell(content) : [`Svaret er ${status}`, content.detail ?? ''];
  const strong = document.createElement('strong');
  strong.textContent = headline;
  el('ord').dataset.tilstand = ok ? 'bra' : 'feil';
  el('ord').replaceChildren(strong, more);
  const body = request.body ? `\n\n${JSON.stringify(request.body, null, 2)}` : '';
  showCode(el('foresporsel'), `${request.method} ${request.path}${body}`);
  showJson(el('svar'), content);
  el('svartid').textContent =
    ms === undefined ? 'innspilt, syntetiske personer' : `${status} på ${Math.max(1, Math.round(ms))} ms`;
}

function curl({ method, path, body }) {
  const parts = [`curl -s -X ${method} '${location.origin}${path}'`, `-H "Authorization: Bearer $TOKEN"`];
  if (body) parts.push(`-H 'Content-Type: application/json'`, `-d '${JSON.stringify(body)}'`);
  return parts.join(' \\\n  ');
}

function makeTabs() {
  el('valg').replaceChildren(
    ...QUESTIONS.map(({ title, about }, n) => {
      const tab = document.createElement('button');
      const name = document.createElement('strong');
      const more = document.createElement('span');
      name.textContent = title;
      more.textContent = about;
      Object.assign(tab, { type: 'button', id: `valg-${n}`, role: 'tab' });
      tab.setAttribute('role', 'tab');
      tab.setAttribute('aria-controls', 'utveksling');
      tab.append(name, more);
      tab.addEventListener('click', () => void show(n));
      return tab;
    }),
  );
  el('valg').addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (shown + step + QUESTIONS.length) % QUESTIONS.length;
    el('valg').children[next].focus();
    void show(next);
  });
}

el('kopier').addEventListener('click', async () => {
  const exchange = exchanges.get(QUESTIONS[shown].id);
  if (!exchange) return;
  await navigator.clipboard.writeText(curl(exchange.request)).catch(() => undefined);
  el('kopier').textContent = 'Kopiert';
  setTimeout(() => (el('kopier').textContent = 'Kopier som curl'), 2_000);
});

async function begin() {
  makeTabs();
  await readNow();
  let live = now?.kanSpoerre === true;
  if (live) {
    const answer = await fetch('/lokalt-token').catch(() => undefined);
    live = answer?.ok === true;
    if (live) {
      token = await answer.text();
      await findSomebody();
    }
  }
  if (!live)
    for (const exchange of await (await fetch('/forside/innspilt.json')).json())
      exchanges.set(exchange.id, { ok: true, ...exchange });
  el('om-svarene').textContent = live
    ? 'Svarene kommer fra tjenesten akkurat nå, som for konsumenten alt. Personene er syntetiske.'
    : 'Eksemplene er spilt inn, med syntetiske personer. Med et token svarer tjenesten på det samme, med det du har tilgang til.';
  await show(0);
}

showCode(
  el('nais'),
  `accessPolicy:
  outbound:
    rules:
      - application: tiltak-datadeling-query-api-nav
        namespace: tiltak
azure:
  application:
    enabled: true`,
);
showCode(
  el('typescript'),
  `import { answerOf, clientCredentials, createQueryApiClient }
  from '@navikt/tiltak-datadeling-klient';

const getToken = clientCredentials({ scope });
const client = createQueryApiClient({ baseUrl, getToken });
const { personer } = await answerOf(
  client.POST('/api/v1/personer/tiltaksstatus', {
    body: { personidenter },
  }),
);`,
);
showCode(
  el('kotlin'),
  `import no.nav.tiltak.datadeling.*

val getToken = clientCredentials(scope = scope)
val client = createQueryApiClient(url, getToken)

val svar = client.hentTiltaksstatus(
    TiltaksstatusSporring(personidenter = identer),
)
svar.data.personer.forEach { println(it.svar) }`,
);
void begin();
setInterval(() => document.hidden || void readNow(), EVERY_MS);
setInterval(() => document.hidden || showNow(), 1_000);
document.addEventListener('visibilitychange', () => document.hidden || void readNow());
