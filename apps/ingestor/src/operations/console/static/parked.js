// @ts-check
import { ask } from './dialog.js';
import { el, fillFacts, fillTable, login, perform, call, button, row, say, number, time, page } from './felles.js';

const STATES = { PARKERT: 'Parkert', SPILT_AV: 'Spilt av', FORKASTET: 'Forkastet' };
const REASONS = {
  TESTMELDING: 'Testmelding',
  FEIL_HOS_KILDEN: 'Sendt ved en feil hos kilden',
  ERSTATTET: 'Sendt på nytt av kilden',
  IKKE_EN_AVTALE: 'Gjelder ikke en avtale',
  ANNET: 'Annet',
  AVTALE_SLETTET: 'Avtalen er slettet',
};
const REMOVED = {
  SPILT_AV: 'Innholdet er slettet: meldingen er spilt av',
  FORKASTET: 'Innholdet er slettet: meldingen er forkastet',
  AVTALE_SLETTET: 'Innholdet er slettet sammen med avtalen',
  FRIST: 'Innholdet er slettet etter et år. Meldingen kan fremdeles ligge på topicen: gjenoppbygging leser den på nytt',
};
const OUTCOMES = {
  TATT_INN: 'Meldingen er tatt inn.',
  UENDRET: 'Meldingen er spilt av, og endret ingenting.',
  FORELDET: 'Meldingen er spilt av. Noe nyere var lagret fra før.',
  SLETTET: 'Meldingen er spilt av, og avtalen er slettet.',
  PARKERT: 'Meldingen kan fremdeles ikke brukes, og er fortsatt parkert.',
};

/** By code: why a message could not be used. */
const CODES = {
  IKKE_JSON: 'Meldingen er ikke JSON, eller er brutt av.',
  IKKE_OBJEKT: 'Meldingen er JSON, men ikke et objekt.',
  UGYLDIG_FELT: 'Et felt har en verdi som ikke kan leses.',
  MANGLER_FELT: 'Et felt som må være med, mangler.',
  FREMTIDIG: 'Endringen er fra mer enn et døgn etter at meldingen ble skrevet.',
  AVVIST_AV_DATABASEN: 'Databasen tok ikke imot det meldingen sier.',
  UDEKODBAR: 'Bunken som meldingen lå i, kunne ikke leses.',
};

let next;
let shown;
let asked = 0;

const reason = ({ kode, felt }) => (felt ? `${kode} (${felt})` : kode);

/** The reasons that there are messages for. */
export function showReasons(parked) {
  const chosen = el('aarsak').value;
  const options = parked.map(
    (group) => new Option(`${reason(group)}: ${number(group.antall)}`, JSON.stringify([group.kode, group.felt])),
  );
  const count = parked.reduce((sum, group) => sum + group.antall, 0);
  el('parkerte-om').textContent = count > 0 ? number(count) : 'ingen';
  el('aarsak').replaceChildren(new Option('Alle', ''), ...options);
  el('aarsak').value = options.some(({ value }) => value === chosen) ? chosen : '';
}

function filter() {
  const [code, field] = el('aarsak').value ? JSON.parse(el('aarsak').value) : [];
  return { ...(code ? { kode: code } : {}), ...(field ? { felt: field } : {}) };
}

export async function readParked(from) {
  const state = el('tilstand').value;
  const query = new URLSearchParams({
    ...filter(),
    ...(state ? { tilstand: state } : {}),
    ...(from ? { neste: from } : {}),
  });
  const mine = ++asked;
  const result = await call('GET', `/parkerte?${query}`);
  // Something else has been chosen meanwhile.
  if (mine !== asked) return;
  const rows = result.parkerte.map((message) =>
    row([
      message.id,
      `${message.partisjon} / ${message.offset}`,
      reason(message),
      STATES[message.tilstand],
      time(message.parkert),
      number(message.forsok),
      button('Vis', `melding ${message.id}`, () => showMessage(message.id)),
    ]),
  );
  if (from) el('parkerte').append(...rows);
  else fillTable('parkerte', rows, 'Ingen meldinger');
  next = result.neste;
  el('flere').hidden = next === undefined;
  el('aarsak-ord').textContent = CODES[filter().kode] ?? '';
  const which = el('aarsak').value ? 'alle med denne årsaken' : 'alle parkerte';
  el('spill-av-flere').textContent = `Spill av ${which}`;
  el('forkast-flere').textContent = `Forkast ${which}`;
}

async function showMessage(id) {
  shown = await call('GET', `/parkerte/${id}`);
  el('vis-tittel').textContent = `Melding ${shown.id}: ${STATES[shown.tilstand]}`;
  fillFacts('vis-fakta', {
    Årsak: `${reason(shown)}: ${shown.aarsak}`,
    Sted: `${shown.topic}, partisjon ${shown.partisjon}, offset ${shown.offset}`,
    Nøkkel: shown.nokkel ?? 'ingen',
    Forsøk: number(shown.forsok),
    ...(shown.behandlet ? { Behandlet: `${time(shown.behandlet)} av ${shown.behandletAv}` } : {}),
    ...(shown.begrunnelse ? { Begrunnelse: REASONS[shown.begrunnelse] ?? shown.begrunnelse } : {}),
  });
  el('vis-innhold').textContent =
    REMOVED[shown.innholdFjernetAarsak] ??
    (shown.innholdUtelatt
      ? 'Innholdet ligger bare på topicen: for mange meldinger har samme årsak. Avspilling leser det derfra.'
      : (shown.melding ?? 'Ingen verdi (gravstein)'));
  el('forkast-skjema').hidden = shown.tilstand !== 'PARKERT';
  el('begrunnelse').value = '';
  el('spill-av').hidden = shown.innholdFjernet !== undefined;
  el('vis').showModal();
  await page.readActions();
}

let timer;
/** The one that this page has seen running, to tell when it is over. */
let watched;

/** How far the last action on many has come. */
export async function readBulk() {
  const { siste: last } = await call('GET', '/parkerte/samlet');
  el('samlehandling-del').hidden = last === undefined;
  clearTimeout(timer);
  if (last === undefined) return;
  const running = last.tilstand === 'KJORER';
  const [does, done] = last.handling === 'FORKAST' ? ['Forkaster', 'forkastet'] : ['Spiller av', 'spilt av'];
  const counts = `${number(last.utfoert)} av ${number(last.antall)} meldinger er ${done}, ${number(last.fortsattParkert)} er forsøkt og fortsatt parkert.`;
  const texts = {
    KJORER: `${does} ${last.kode ? reason(last) : 'alle parkerte'}. ${counts}`,
    FERDIG: `Ferdig ${time(last.avsluttet)}. ${counts}`,
    STOPPET: `Stoppet ${time(last.avsluttet)}. ${counts}`,
    FEILET: `Avbrutt ${time(last.avsluttet)}: ${last.aarsak}. ${counts}`,
  };
  el('samlehandling').textContent = texts[last.tilstand];
  el('samlehandling-framdrift').hidden = !running;
  el('samlehandling-framdrift').max = Math.max(1, last.antall);
  el('samlehandling-framdrift').value = last.utfoert + last.fortsattParkert;
  el('stopp-samlehandling').hidden = !running;
  if (running) {
    watched = last.id;
    if (login.isIn) timer = setTimeout(() => perform(readBulk), 1_000);
  } else if (watched === last.id) {
    watched = undefined;
    await page.readAll();
    say(counts);
  }
}

async function startBulk(action) {
  const chosen = filter();
  const { id } = await call('POST', '/parkerte/samlet', { ...(chosen.kode ? chosen : { alle: true }), ...action });
  watched = id;
  await readBulk();
}

async function startReplay() {
  const isSure = await ask({
    title: el('aarsak').value ? 'Spille av alle med denne årsaken?' : 'Spille av alle parkerte meldinger?',
    happens: [
      'Hver melding blir forsøkt på nytt, på sin egen plass: noe nyere blir aldri erstattet.',
      'De som fremdeles ikke kan brukes, blir liggende parkert.',
      'Det kan stoppes underveis.',
    ],
    action: 'Spill av',
  });
  if (isSure) void perform(() => startBulk({ handling: 'SPILL_AV' }));
}

async function startDiscard(begrunnelse) {
  const isSure = await ask({
    title: el('aarsak').value ? 'Forkaste alle med denne årsaken?' : 'Forkaste alle parkerte meldinger?',
    happens: [
      'Innholdet i meldingene blir slettet, og kan ikke hentes tilbake herfra.',
      `Begrunnelsen er: ${REASONS[begrunnelse] ?? begrunnelse}.`,
    ],
    action: 'Forkast',
    danger: true,
  });
  if (isSure) void perform(() => startBulk({ handling: 'FORKAST', begrunnelse }));
}

el('filter').addEventListener('submit', (event) => event.preventDefault());
el('filter').addEventListener('change', () => perform(() => readParked()));
el('flere').addEventListener('click', () => perform(() => readParked(next)));
el('spill-av-flere').addEventListener('click', () => {
  void startReplay();
});
el('forkast-flere-skjema').addEventListener('submit', (event) => {
  event.preventDefault();
  const begrunnelse = el('begrunnelse-flere').value;
  void startDiscard(begrunnelse);
});
el('stopp-samlehandling').addEventListener('click', () =>
  perform(async () => {
    await call('POST', '/parkerte/samlet/stopp');
    await page.readAll();
  }),
);
el('spill-av').addEventListener('click', () =>
  perform(async () => {
    const { utfall } = await call('POST', `/parkerte/${shown.id}/spill-av`);
    el('vis').close();
    await page.readAll();
    say(OUTCOMES[utfall]);
  }),
);
el('forkast-skjema').addEventListener('submit', (event) => {
  event.preventDefault();
  void perform(async () => {
    await call('POST', `/parkerte/${shown.id}/forkast`, { begrunnelse: el('begrunnelse').value });
    el('vis').close();
    await page.readAll();
    say('Meldingen er forkastet.');
  });
});
