// @ts-check
// Employers: how they come in, and what of their links does not hang together.
import { call, el, fillFacts, fillTable, number, page, perform, row, time } from './felles.js';

const STATES = { BRA: 'bra', OBS: 'obs', FEIL: 'feil' };
const REASONS = { SIRKEL: 'Sirkel', FOR_MANGE_NIVAAER: 'For mange nivåer' };
/** Of a chain: the rest is more of the same. */
const SHOWN_LEVELS = 25;

/** Numbers are not read by themselves: some are persons', and who looks is noted. */
export async function readVirksomheter() {
  const status = await call('GET', '/virksomheter');
  const isOff = status.topic === null;
  el('virksomheter-av').hidden = !isOff;
  el('virksomheter-paa').hidden = isOff;
  el('virksomheter-prikk').dataset.tilstand = STATES[status.tilstand];
  if (isOff) {
    el('virksomheter-om').textContent = 'ikke i bruk';
    return;
  }
  const behind = status.partisjoner.reduce((sum, partition) => sum + (partition.etterslep ?? 0), 0);
  el('virksomheter-om').textContent = aboutOf(status);
  fillFacts('virksomheter-fakta', {
    Topic: status.topic,
    'Oppdatert til': status.dataOppdatert ? time(status.dataOppdatert) : 'Første lasting er ikke ferdig',
    'Etterslep, meldinger': number(behind),
    'Parkerte meldinger': number(status.parkerte),
    'Hull i meldingene': number(status.hull),
    'Ikke varslet ennå': number(status.ikkeVarslet),
  });
  el('manglende-ord').textContent =
    status.manglende === 0
      ? 'Alle som er navngitt, er her.'
      : `${number(status.manglende)} mangler, den som har manglet lengst siden ${time(status.eldsteManglende)}. ` +
        `${number(status.avtalerMedManglende)} avtaler har en av dem som arbeidsgiver.`;
  el('uten-hovedenhet-ord').textContent =
    status.utenHovedenhet === 0
      ? 'Alle kjeder ender i en hovedenhet.'
      : `${number(status.utenHovedenhet)} har ingen hovedenhet, siden kjeden går i ring eller er for lang.`;
  el('vis-manglende').hidden = status.manglende === 0;
  el('vis-uten-hovedenhet').hidden = status.utenHovedenhet === 0;
}

function aboutOf({ manglende, utenHovedenhet, dataOppdatert }) {
  if (manglende === 0 && utenHovedenhet === 0) return dataOppdatert ? 'henger sammen' : 'første lasting pågår';
  const parts = [];
  if (manglende > 0) parts.push(`${number(manglende)} mangler`);
  if (utenHovedenhet > 0) parts.push(`${number(utenHovedenhet)} uten hovedenhet`);
  return parts.join(', ');
}

/** A list that is read a page at a time, when somebody asks for it. */
function listOf(name, path, toRow, rowsOf) {
  let next;
  const read = async (isFirst) => {
    const answer = await call('POST', path, isFirst ? {} : { neste: next });
    const rows = rowsOf(answer).map(toRow);
    if (isFirst) fillTable(name, rows, 'Ingen lenger');
    else el(name).append(...rows);
    next = answer.neste;
    el(`${name}-tabell`).hidden = false;
    el(`flere-${name}`).hidden = next === undefined;
    await page.readActions();
  };
  el(`vis-${name}`).addEventListener('click', () => perform(() => read(true)));
  el(`flere-${name}`).addEventListener('click', () => perform(() => read(false)));
}

listOf(
  'manglende',
  '/virksomheter/manglende',
  (one) => row([one.organisasjonsnummer, time(one.siden), number(one.avtaler), number(one.virksomheter)]),
  ({ manglende }) => manglende,
);
listOf(
  'uten-hovedenhet',
  '/virksomheter/uten-hovedenhet',
  (one) => row([one.organisasjonsnummer, REASONS[one.aarsak] ?? one.aarsak, chainOf(one.kjede)]),
  ({ virksomheter }) => virksomheter,
);

function chainOf(chain) {
  const shown = chain.slice(0, SHOWN_LEVELS).join(' → ');
  return chain.length > SHOWN_LEVELS ? `${shown} → …` : shown;
}
