// @ts-check
// What needs somebody, in words, and what does not.
import { drawChart } from './diagram.js';
import { call, duration, el, number, time } from './felles.js';

/** By check: its name, what is wrong when it is, and what it says when all is well. */
export const CHECKS = {
  DataErGamle: [
    'Ferskhet',
    'Konsumentene får eldre data enn de skal. Svarer Kafka, og kommer alle partisjonene videre?',
  ],
  Etterslep: ['Etterslep', 'Meldinger venter på å bli lest. Går det riktig vei, er det bare å vente.'],
  MeldingerParkert: [
    'Parkerte meldinger',
    'Kilden har sendt noe som ikke kan brukes. Se årsaken, og spill av eller forkast.',
  ],
  PartisjonStanset: ['Stansede partisjoner', 'En bunke kan ikke leses, og alt etter den på partisjonen venter.'],
  HullIMeldingene: ['Hull i meldingene', 'Topicet slettet meldinger før de var lest. Kilden må si alt på nytt.'],
  Avstemmingsdifferanser: [
    'Avstemming',
    'Kopien og kilden var ikke enige sist. Rett det, eller be kilden sende på nytt.',
  ],
  AvstemmingErGammel: ['Siste avstemming', 'Det er lenge siden kopien ble holdt mot kilden.'],
  Relasjonsavvik: [
    'Relasjoner',
    'Lagrede lenker følger ikke av avtalene. Kontroller og rett, og meld fra: det er en feil i systemet.',
  ],
  GjenoppbyggingVenter: ['Gjenoppbygging', 'En gjenoppbygging vil fjerne mye, og venter på at noen bekrefter.'],
  AdapterStanset: ['Hjerteslag', 'Adapteren har ikke gitt lyd fra seg som avtalt. Kontakt organisasjonen.'],
  FullSynkForfalt: ['Full synk', 'Adapteren skulle ha sendt alt på nytt. Kontakt organisasjonen.'],
  SynkVenterPaaBekreftelse: ['Synk som venter', 'En full synk vil slette mye, og venter på at noen bekrefter.'],
};
const ICONS = {
  BRA: 'M5 13l4 4L19 7',
  OBS: 'M12 7v6m0 3.5v.5',
  FEIL: 'M7 7l10 10M17 7L7 17',
};
const STATES = { BRA: 'bra', OBS: 'obs', FEIL: 'feil' };
const STATE_WORDS = { BRA: 'Som det skal', OBS: 'Se på dette', FEIL: 'Må gjøres noe med' };
/** What one sees of a check is in this part of the page. */
const PARTS = {
  MeldingerParkert: 'parkerte',
  PartisjonStanset: 'stansede',
  HullIMeldingene: 'stroem',
  Etterslep: 'stroem',
  DataErGamle: 'stroem',
  Avstemmingsdifferanser: 'avstemming',
  AvstemmingErGammel: 'avstemming',
  Relasjonsavvik: 'relasjoner',
  GjenoppbyggingVenter: 'gjenoppbygging',
  AdapterStanset: 'adapter',
  FullSynkForfalt: 'adapter',
  SynkVenterPaaBekreftelse: 'adapter',
};

const SVG = 'http://www.w3.org/2000/svg';

export function icon(state) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'ikon');
  svg.setAttribute('aria-hidden', 'true');
  const circle = document.createElementNS(SVG, 'circle');
  for (const [name, value] of Object.entries({ cx: 12, cy: 12, r: 11 })) circle.setAttribute(name, String(value));
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[state]);
  svg.append(circle, path);
  return svg;
}

const part = (name, className, text) => Object.assign(document.createElement(name), { className, textContent: text });

/** A number, or an age in its largest unit. */
function valueOf({ kode, enhet, verdi }) {
  if (verdi === null) return kode === 'AvstemmingErGammel' ? 'Aldri' : 'Ukjent';
  if (enhet === 'ANTALL') return number(verdi);
  return verdi < 120 ? `${(Math.round(verdi * 10) / 10).toLocaleString('nb-NO')} sek` : duration(verdi);
}

function limitOf({ enhet, grense }) {
  return `Grense: ${enhet === 'ANTALL' ? number(grense) : duration(grense)}`;
}

function cardOf(check) {
  const [title, what] = CHECKS[check.kode] ?? [check.kode, ''];
  const li = document.createElement('li');
  li.className = 'sjekk';
  li.dataset.tilstand = STATES[check.tilstand];
  const head = part('h3', '', '');
  head.append(icon(check.tilstand), title, part('span', 'skjult', `: ${STATE_WORDS[check.tilstand]}`));
  const facts = part(
    'p',
    'dempet',
    [limitOf(check), check.siden ? `siden ${time(check.siden)}` : ''].filter(Boolean).join(' · '),
  );
  li.append(head, part('p', 'verdi', valueOf(check)), facts);
  if (check.tilstand === 'BRA') return li;
  li.append(part('p', 'hva', what));
  const links = part('p', 'lenker', '');
  const runbook = part('a', 'aksel-link', 'Slik gjør du det');
  runbook.href = `/drift/dokumentasjon/haandbok#${check.kode.toLowerCase()}`;
  runbook.append(part('span', 'skjult', `: ${title}`));
  const show = part('a', 'aksel-link', 'Vis');
  show.append(part('span', 'skjult', ` ${title}`));
  show.href = `#${PARTS[check.kode]}-del`;
  show.addEventListener('click', () => (el(`${PARTS[check.kode]}-del`).open = true));
  links.append(show, runbook);
  li.append(links);
  return li;
}

const opened = new Set();

/** Reads how it goes, problems first; a part of the page with a problem opens, once. */
export async function readCondition() {
  const condition = await call('GET', '/tilstand');
  const wrong = condition.sjekker.filter(({ tilstand }) => tilstand !== 'BRA');
  const right = condition.sjekker.filter(({ tilstand }) => tilstand === 'BRA');
  wrong.sort((a, b) => Number(b.tilstand === 'FEIL') - Number(a.tilstand === 'FEIL'));
  el('organisasjon').textContent = condition.organisasjon;
  document.title = `${wrong.length > 0 ? `(${wrong.length}) ` : ''}Drift ${condition.organisasjon} – tiltak-datadeling`;
  el('samlet').dataset.tilstand = STATES[condition.tilstand];
  el('samlet-prikk').dataset.tilstand = STATES[condition.tilstand];
  el('samlet-ord').textContent =
    wrong.length === 0
      ? 'Alt er som det skal'
      : `${wrong.length === 1 ? 'Én ting' : `${number(wrong.length)} ting`} å se på`;
  el('problemer-del').hidden = wrong.length === 0;
  el('problemer').replaceChildren(...wrong.map(cardOf));
  el('friske-ord').textContent = `${wrong.length === 0 ? 'Alle' : 'De andre'} ${number(right.length)} er som de skal`;
  el('friske').replaceChildren(...right.map(cardOf));
  showStates(condition.sjekker);
}

function showStates(checks) {
  const order = ['BRA', 'OBS', 'FEIL'];
  const states = {};
  for (const { kode, tilstand } of checks) {
    const name = PARTS[kode];
    if (name && order.indexOf(tilstand) >= order.indexOf(states[name] ?? 'BRA')) states[name] = tilstand;
  }
  for (const [name, state] of Object.entries(states)) {
    el(`${name}-prikk`).dataset.tilstand = STATES[state];
    if (state !== 'BRA' && name !== 'stroem' && !opened.has(name)) {
      opened.add(name);
      el(`${name}-del`).open = true;
    }
  }
}

let hours = 6;
/** Of a chart. */
const LEAST_MS = 600_000;

export async function readMeasurements() {
  const { maalinger } = await call('GET', `/maalinger?timer=${hours}`);
  const to = Date.now();
  // What was begun a moment ago is shown as far as it goes.
  const first = maalinger[0] ? Date.parse(maalinger[0].tidspunkt) : to;
  const from = Math.max(to - hours * 3_600_000, Math.min(first, to - LEAST_MS));
  const points = (member) => maalinger.map((one) => ({ time: Date.parse(one.tidspunkt), value: one[member] }));
  const charts = [
    { title: 'Etterslep', unit: 'meldinger', limit: 10_000, points: points('etterslep') },
    { title: 'Dataenes alder', unit: 'sek', limit: 300, points: points('alderSekunder') },
    { title: 'Lest', unit: 'i sekundet', points: points('perSekund') },
  ];
  el('kurver').replaceChildren(...charts.map((chart) => drawChart({ ...chart, from, to })));
}

export function chooseHours(work) {
  for (const choice of document.querySelectorAll('[data-timer]')) {
    choice.addEventListener('click', () => {
      hours = Number(choice.dataset.timer);
      for (const other of document.querySelectorAll('[data-timer]'))
        other.setAttribute('aria-pressed', String(other === choice));
      work();
    });
  }
}
