// @ts-check
import { ask } from './dialog.js';
import { call, el, fillFacts, fillTable, page, perform, row, number, say, time } from './felles.js';

const HEARTBEATS = { OK: 'OK', FORSINKET: 'Forsinket', STANSET: 'Stanset' };
const TYPES = { FULL: 'Full', DELTA: 'Delta', SLETT: 'Sletting' };
const STATES = {
  MOTTAR: 'Mottar sider',
  SLETTER: 'Sletter',
  VENTER_PAA_BEKREFTELSE: 'Venter på bekreftelse',
  FULLFOERT: 'Fullført',
  ERSTATTET: 'Erstattet',
  UTLOEPT: 'Utløpt',
  FEILET: 'Feilet',
};

let shown;

/** The organisation's adapter, null when it has none: whether it lives, and its last syncs. */
export function showAdapter(adapter) {
  el('uten-adapter').hidden = adapter !== null;
  el('med-adapter').hidden = adapter === null;
  el('adapter-om').textContent = adapter?.kontrakt.adapterId ?? 'ingen';
  if (adapter === null) return;
  shown = adapter.kontrakt.adapterId;
  const { kontrakt, hjerteslag, sisteFullSynk, fullSynkForfalt, synker } = adapter;
  fillFacts('adapter-fakta', {
    Adapter: kontrakt.adapterId,
    Hjerteslag: `${HEARTBEATS[hjerteslag.tilstand]}, sist ${time(hjerteslag.sist)} (hvert ${number(kontrakt.heartbeatIntervallMinutter)}. minutt)`,
    'Siste fulle synk': `${time(sisteFullSynk)}${fullSynkForfalt ? ', forfalt' : ''} (hver ${number(kontrakt.fullSynkIntervallDager)}. dag)`,
  });
  fillTable(
    'synker',
    synker.map((sync) =>
      row([
        sync.synkId,
        TYPES[sync.type],
        sync.stanset ? 'Stanset' : STATES[sync.tilstand],
        `${number(sync.mottatteSider)} av ${number(sync.antallSider)}`,
        number(sync.mottatteRessurser),
        sync.skalSlettes === null ? '' : number(sync.skalSlettes),
        time(sync.startet),
      ]),
    ),
    'Ingen synker',
  );
}

el('frigi-skjema').addEventListener('submit', async (event) => {
  event.preventDefault();
  const isSure = await ask({
    title: `Frigjøre kontrakten til ${shown}?`,
    happens: [
      'Den første klienten som setter en kontrakt etter dette, eier den. Det kan være den gamle.',
      'Det adapteren har sendt, blir liggende til den nye har gjort en full synk.',
    ],
    action: 'Frigjør',
    danger: true,
  });
  if (!isSure) return;
  void perform(async () => {
    await call('POST', '/adapter/frigi', { adapterId: shown, aarsak: el('frigi-aarsak').value });
    await page.readAll();
    say('Kontrakten er frigjort.');
  });
});
