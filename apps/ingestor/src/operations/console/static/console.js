// @ts-check
// The page of those on duty. It holds no data of its own: everything comes from /drift/v1 with the token of who asks.
import { showAdapter } from './adapter.js';
import { readAvstemminger } from './avstemming.js';
import { el, fillTable, perform, call, row, page, number, time } from './felles.js';
import { begin } from './innlogging.js';
import { readRebuild } from './gjenoppbygging.js';
import { readBulk, readParked, showReasons } from './parkerte.js';
import { readStorage } from './plass.js';
import { awaitsRelations, readRelationChecks } from './relasjoner.js';
import { readHeld } from './stansede.js';
import { chooseHours, readCondition, readMeasurements } from './tilstand.js';
import { readVirksomheter } from './virksomheter.js';

const ACTIONS = {
  VIS_PARKERT: 'Så på en parkert melding',
  SPILL_AV: 'Spilte av en melding',
  SPILL_AV_FLERE: 'Spilte av flere meldinger',
  FORKAST: 'Forkastet en melding',
  PARKER_STANSET: 'Parkerte en bunke som ikke kan leses',
  SPILL_AV_SAMLET: 'Spilte av alle med en årsak',
  FORKAST_SAMLET: 'Forkastet alle med en årsak',
  STOPP_SAMLET: 'Stoppet en samlehandling',
  FRIGI_KONTRAKT: 'Frigjorde kontrakten til adapteren',
  START_GJENOPPBYGGING: 'Startet gjenoppbygging',
  RAPPORTER_GJENOPPBYGGING: 'Ba om rapport av gjenoppbygging',
  STOPP_GJENOPPBYGGING: 'Stoppet gjenoppbygging',
  BEKREFT_GJENOPPBYGGING: 'Bekreftet at det topicen ikke har, kan fjernes',
  VIS_GJENOPPBYGDE_NOEKLER: 'Så nøklene i en gjenoppbygging',
  AVSTEM: 'Avstemte',
  RETT_FREMMED: 'Slettet det kilden ikke har',
  RETT_MANGLER: 'Leste tilbake det som manglet',
  RETT_UTDATERT: 'Leste tilbake det som var utdatert',
  KONTROLLER_RELASJONER: 'Ba om kontroll av relasjonene',
  RETT_RELASJONER: 'Ba om at relasjonene blir rettet',
  VIS_MANGLENDE_VIRKSOMHETER: 'Så hvilke virksomheter som mangler',
  VIS_VIRKSOMHETER_UTEN_HOVEDENHET: 'Så hvilke virksomheter som ikke har hovedenhet',
};

async function readStatus() {
  const status = await call('GET', '/status');
  el('oppdatert').textContent = time(status.dataOppdatert);
  el('etterslep').textContent = number(
    status.partisjoner.reduce((sum, partition) => sum + (partition.etterslep ?? 0), 0),
  );
  el('antall-parkerte').textContent = number(status.parkerte.reduce((sum, group) => sum + group.antall, 0));
  fillTable(
    'partisjoner',
    status.partisjoner.map((partition) =>
      row([
        number(partition.partisjon),
        number(partition.nesteOffset),
        number(partition.sluttOffset),
        number(partition.etterslep),
        time(partition.oppdatertTil),
      ]),
    ),
    'Ingenting er lest ennå',
  );
  el('stroem-om').textContent = `${number(status.partisjoner.length)} partisjoner`;
  showGaps(status);
  showReasons(status.parkerte);
  showAdapter(status.adapter);
}

function showGaps({ hull: gaps, topicer: topics }) {
  fillTable(
    'hull',
    gaps.map((gap) =>
      row([
        `${gap.topic} / ${gap.partisjon}`,
        number(gap.fraOffset),
        number(gap.tilOffset),
        time(gap.oppdaget),
        gap.lukket ? time(gap.lukket) : 'Åpent: kilden må si alt på nytt',
        gap.lukketAv ?? '',
      ]),
    ),
    'Ingenting er gått tapt',
  );
  fillTable(
    'topicer',
    topics.map((topic) => row([topic.topic, topic.topicId, number(topic.epoke), time(topic.foerstSett)])),
    'Ingenting er lest ennå',
  );
}

async function readActions() {
  const { handlinger } = await call('GET', '/handlinger?antall=20');
  fillTable(
    'handlinger',
    handlinger.map((action) =>
      row([
        time(action.tidspunkt),
        action.hvem,
        ACTIONS[action.handling] ?? action.handling,
        action.gjelder ?? '',
        number(action.antall),
      ]),
    ),
    'Ingen har gjort noe ennå',
  );
  el('handlinger-om').textContent = handlinger[0] ? `sist ${time(handlinger[0].tidspunkt)}` : '';
}

async function readAll() {
  // Who is refused is refused once.
  await readCondition();
  await Promise.all([
    readMeasurements(),
    readRebuild(),
    readStatus(),
    readHeld(),
    readParked(),
    readBulk(),
    readAvstemminger(),
    readRelationChecks(),
    readStorage(),
    readVirksomheter(),
    readActions(),
  ]);
}

/** What changes by itself. A list that somebody reads in stays as it is until they ask for it. */
async function refresh() {
  await readCondition();
  await readMeasurements();
  await readStatus();
  await readHeld();
  await readRelationChecks();
  await readStorage();
  await readVirksomheter();
  if (!isReadIn('usette')) await readRebuild();
  if (!document.querySelector('dialog[open]') && !isReadIn('parkerte')) await readParked();
}

/** Somebody has more of it than the first page, or is in it. */
function isReadIn(table) {
  return el(table).rows.length > 50 || el(table).contains(document.activeElement);
}

function forget() {
  const filled =
    'tbody, dialog dl, #adapter-fakta, #virksomheter-fakta, #vis-innhold, #problemer, #friske, #kurver, .kort-om';
  for (const part of document.querySelectorAll(filled)) part.replaceChildren();
  for (const part of document.querySelectorAll('.paa-forespoersel')) part.hidden = true;
}

Object.assign(page, { readActions });
chooseHours(() => perform(readMeasurements));
// A report that one waits for is shown when it is there.
setInterval(() => awaitsRelations() && void perform(readRelationChecks), 2_000);
void begin({ readAll, refresh, forget });
