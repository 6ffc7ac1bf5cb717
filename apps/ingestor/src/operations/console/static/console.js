// @ts-check
// The page of those on duty. It holds no data of its own: everything comes from /drift/v1 with the token of who asks.
import { visAdapter } from './adapter.js';
import { lesAvstemminger } from './avstemming.js';
import { el, fyllTabell, gjor, kall, rad, siden, tall, tid, token } from './felles.js';
import { lesGjenoppbygging } from './gjenoppbygging.js';
import { lesParkerte, visAarsaker } from './parkerte.js';

const HANDLINGER = {
  VIS_PARKERT: 'Så på en parkert melding',
  SPILL_AV: 'Spilte av en melding',
  SPILL_AV_FLERE: 'Spilte av flere meldinger',
  FORKAST: 'Forkastet en melding',
  START_GJENOPPBYGGING: 'Startet gjenoppbygging',
  STOPP_GJENOPPBYGGING: 'Stoppet gjenoppbygging',
  AVSTEM: 'Avstemte',
  RETT_FREMMED: 'Slettet det kilden ikke har',
  RETT_MANGLER: 'Leste tilbake det som manglet',
  RETT_UTDATERT: 'Leste tilbake det som var utdatert',
};

async function lesStatus() {
  const status = await kall('GET', '/status');
  el('organisasjon').textContent = `(${status.organisasjon})`;
  el('oppdatert').textContent = tid(status.dataOppdatert);
  el('etterslep').textContent = tall(status.partisjoner.reduce((sum, p) => sum + (p.etterslep ?? 0), 0));
  el('antall-parkerte').textContent = tall(status.parkerte.reduce((sum, p) => sum + p.antall, 0));
  fyllTabell(
    'partisjoner',
    status.partisjoner.map((p) =>
      rad([tall(p.partisjon), tall(p.nesteOffset), tall(p.sluttOffset), tall(p.etterslep), tid(p.oppdatertTil)]),
    ),
    'Ingenting er lest ennå',
  );
  visAarsaker(status.parkerte);
  visAdapter(status.adapter);
}

async function lesHandlinger() {
  const { handlinger } = await kall('GET', '/handlinger?antall=20');
  fyllTabell(
    'handlinger',
    handlinger.map((h) =>
      rad([tid(h.tidspunkt), h.hvem, HANDLINGER[h.handling] ?? h.handling, h.gjelder ?? '', tall(h.antall)]),
    ),
    'Ingen har gjort noe ennå',
  );
}

async function lesAlt() {
  await lesGjenoppbygging();
  await lesStatus();
  await lesParkerte();
  await lesAvstemminger();
  await lesHandlinger();
}

function visInnlogging() {
  token.glem();
  el('innlogging').hidden = false;
  el('drift').hidden = true;
  el('logg-ut').hidden = true;
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  for (const del of document.querySelectorAll('tbody, dialog dl, #adapter-fakta, #vis-innhold')) del.replaceChildren();
  el('token').focus();
}

async function loggInn() {
  await lesAlt();
  el('innlogging').hidden = true;
  el('drift').hidden = false;
  el('logg-ut').hidden = false;
}

el('innloggingsskjema').addEventListener('submit', (hendelse) => {
  hendelse.preventDefault();
  token.sett(el('token').value.trim());
  el('token').value = '';
  void gjor(loggInn);
});
el('logg-ut').addEventListener('click', visInnlogging);
Object.assign(siden, { lesAlt, lesHandlinger, loggUt: visInnlogging });

if (token.finnes()) void gjor(loggInn);
