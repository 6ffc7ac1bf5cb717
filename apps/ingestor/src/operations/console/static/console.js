// @ts-check
// The page of those on duty. It holds no data of its own: everything comes from /drift/v1 with the token of who asks.
// Where a login proxy stands before it (`login`), logging in and out are the proxy's.
import { showAdapter } from './adapter.js';
import { readAvstemminger } from './avstemming.js';
import { el, fillTable, login, perform, call, row, page, number, time } from './felles.js';
import { readRebuild } from './gjenoppbygging.js';
import { readBulk, readParked, showReasons } from './parkerte.js';
import { readHeld } from './stansede.js';

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
  STOPP_GJENOPPBYGGING: 'Stoppet gjenoppbygging',
  AVSTEM: 'Avstemte',
  RETT_FREMMED: 'Slettet det kilden ikke har',
  RETT_MANGLER: 'Leste tilbake det som manglet',
  RETT_UTDATERT: 'Leste tilbake det som var utdatert',
};

async function readStatus() {
  const status = await call('GET', '/status');
  el('organisasjon').textContent = `(${status.organisasjon})`;
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
        gap.lukket ? time(gap.lukket) : 'Åpent: avstem med kildens liste',
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
}

async function readAll() {
  await readRebuild();
  await readStatus();
  await readHeld();
  await readParked();
  await readBulk();
  await readAvstemminger();
  await readActions();
}

function showLogin() {
  Object.assign(login, { token: '', isIn: false });
  el('innlogging').hidden = false;
  el('innloggingsskjema').hidden = login.byProxy;
  el('innlogging-lenke').hidden = !login.byProxy;
  el('drift').hidden = true;
  el('logg-ut').hidden = true;
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  const filled = document.querySelectorAll('tbody, dialog dl, #adapter-fakta, #vis-innhold');
  for (const part of filled) part.replaceChildren();
  (login.byProxy ? el('innlogging-lenke') : el('token')).focus();
}

async function logIn() {
  login.isIn = true;
  await readAll();
  el('innlogging').hidden = true;
  el('drift').hidden = false;
  el('logg-ut').hidden = false;
}

el('innloggingsskjema').addEventListener('submit', (event) => {
  event.preventDefault();
  login.token = el('token').value.trim();
  el('token').value = '';
  void perform(logIn);
});
el('logg-ut').addEventListener('click', () => {
  if (login.byProxy) location.assign('/drift/oauth2/logout');
  else showLogin();
});
Object.assign(page, { readAll, readActions, logOut: showLogin });

const asked = await fetch('/drift/side/innlogging');
// A proxy refuses by itself when nobody has logged in to it.
login.byProxy = !asked.ok || (await asked.json()).medProxy;
if (login.byProxy) void perform(logIn);
else showLogin();
