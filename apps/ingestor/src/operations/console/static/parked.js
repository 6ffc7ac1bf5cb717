// @ts-check
import { el, fillFacts, fillTable, perform, call, button, row, say, number, time, page } from './felles.js';

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

let next;
let shown;

const reason = ({ kode, felt }) => (felt ? `${kode} (${felt})` : kode);

/** The reasons that there are messages for. */
export function showReasons(parked) {
  const chosen = el('aarsak').value;
  const options = parked.map(
    (group) => new Option(`${reason(group)}: ${number(group.antall)}`, JSON.stringify([group.kode, group.felt])),
  );
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
  const result = await call('GET', `/parkerte?${query}`);
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
  el('spill-av-flere').textContent = el('aarsak').value ? 'Spill av alle med denne årsaken' : 'Spill av alle parkerte';
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
  el('vis-innhold').textContent = REMOVED[shown.innholdFjernetAarsak] ?? shown.melding ?? 'Ingen verdi (gravstein)';
  el('forkast-skjema').hidden = shown.tilstand !== 'PARKERT';
  el('begrunnelse').value = '';
  el('spill-av').hidden = shown.innholdFjernet !== undefined;
  el('vis').showModal();
  await page.readActions();
}

async function replayMany() {
  const chosen = filter();
  if (!confirm('Spille av alle parkerte meldinger i utvalget?')) return;
  let from;
  let replayed = 0;
  let stillParked = 0;
  do {
    const body = { ...(chosen.kode ? chosen : { alle: true }), ...(from ? { neste: from } : {}) };
    const answer = await call('POST', '/parkerte/spill-av', body);
    replayed += answer.spiltAv;
    stillParked += answer.fortsattParkert;
    from = answer.neste;
    say(`Spiller av … ${number(replayed + stillParked)} så langt`);
  } while (from);
  await page.readAll();
  say(`${number(replayed)} meldinger er spilt av, ${number(stillParked)} er fortsatt parkert.`);
}

el('filter').addEventListener('submit', (event) => event.preventDefault());
el('filter').addEventListener('change', () => perform(() => readParked()));
el('flere').addEventListener('click', () => perform(() => readParked(next)));
el('spill-av-flere').addEventListener('click', () => perform(replayMany));
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
