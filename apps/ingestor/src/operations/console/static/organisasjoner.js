// @ts-check
// How it goes with each organisation. This organisation's ingestor asks the others: the token goes to it alone.
import { call, el, number, time } from './felles.js';
import { begin } from './innlogging.js';
import { CHECKS, icon } from './tilstand.js';

const WORDS = { BRA: 'Alt er som det skal', OBS: 'Noe å se på', FEIL: 'Må gjøres noe med' };
const STATES = { BRA: 'bra', OBS: 'obs', FEIL: 'feil' };
const part = (name, className, text) => Object.assign(document.createElement(name), { className, textContent: text });

function cardOf({ navn, side, tilstand, dataOppdatert, sjekker }) {
  const li = part('li', 'organisasjon', '');
  li.dataset.tilstand = STATES[tilstand] ?? 'feil';
  const head = part('h2', '', '');
  head.append(icon(tilstand ?? 'FEIL'), navn);
  li.append(head, part('p', 'ord', tilstand ? WORDS[tilstand] : 'Svarer ikke'));
  const wrong = sjekker.filter((check) => check.tilstand !== 'BRA');
  if (wrong.length > 0) {
    const list = part('ul', 'galt', '');
    for (const { kode, tilstand: state } of wrong) {
      const item = part('li', '', '');
      const dot = part('span', 'prikk', '');
      dot.dataset.tilstand = STATES[state];
      item.append(dot, CHECKS[kode]?.[0] ?? kode);
      list.append(item);
    }
    li.append(list);
  }
  li.append(
    part('p', 'dempet', tilstand ? `Data oppdatert til ${time(dataOppdatert)}` : 'Ingen vet hvordan det går der'),
  );
  const link = part('a', 'aksel-link', 'Åpne siden');
  link.href = `${side}/drift`;
  link.append(part('span', 'skjult', ` til ${navn}`));
  li.append(link);
  return li;
}

async function read() {
  const { organisasjoner } = await call('GET', '/organisasjoner');
  const order = ['FEIL', undefined, 'OBS', 'BRA'];
  const sorted = organisasjoner.toSorted((a, b) => order.indexOf(a.tilstand) - order.indexOf(b.tilstand));
  const wrong = sorted.filter(({ tilstand }) => tilstand !== 'BRA').length;
  el('samlet-prikk').dataset.tilstand = STATES[sorted[0]?.tilstand] ?? (sorted.length > 0 ? 'feil' : 'obs');
  el('samlet-ord').textContent =
    sorted.length === 0
      ? 'Ingen er satt opp (DRIFT_ORGANISASJONER)'
      : wrong === 0
        ? `Alle ${number(sorted.length)} er som de skal`
        : `${number(wrong)} av ${number(sorted.length)} trenger noen`;
  el('organisasjoner').replaceChildren(...sorted.map(cardOf));
}

begin({ readAll: read, refresh: read, forget: () => el('organisasjoner').replaceChildren() });
