// @ts-check
import { el, fyllFakta, fyllTabell, rad, tall, tid } from './felles.js';

const HJERTESLAG = { OK: 'OK', FORSINKET: 'Forsinket', STANSET: 'Stanset' };
const TYPER = { FULL: 'Full', DELTA: 'Delta', SLETT: 'Sletting' };
const TILSTANDER = {
  MOTTAR: 'Mottar sider',
  SLETTER: 'Sletter',
  VENTER_PAA_BEKREFTELSE: 'Venter på bekreftelse',
  FULLFOERT: 'Fullført',
  ERSTATTET: 'Erstattet',
  UTLOEPT: 'Utløpt',
  FEILET: 'Feilet',
};

/** The organisation's adapter, null when it has none: whether it lives, and its last syncs. */
export function visAdapter(adapter) {
  el('uten-adapter').hidden = adapter !== null;
  el('med-adapter').hidden = adapter === null;
  if (adapter === null) return;
  const { kontrakt, hjerteslag, sisteFullSynk, fullSynkForfalt, synker } = adapter;
  fyllFakta('adapter-fakta', {
    Adapter: kontrakt.adapterId,
    Hjerteslag: `${HJERTESLAG[hjerteslag.tilstand]}, sist ${tid(hjerteslag.sist)} (hvert ${tall(kontrakt.heartbeatIntervallMinutter)}. minutt)`,
    'Siste fulle synk': `${tid(sisteFullSynk)}${fullSynkForfalt ? ', forfalt' : ''} (hver ${tall(kontrakt.fullSynkIntervallDager)}. dag)`,
  });
  fyllTabell(
    'synker',
    synker.map((synk) =>
      rad([
        synk.synkId,
        TYPER[synk.type],
        synk.stanset ? 'Stanset' : TILSTANDER[synk.tilstand],
        `${tall(synk.mottatteSider)} av ${tall(synk.antallSider)}`,
        tall(synk.mottatteRessurser),
        synk.skalSlettes === null ? '' : tall(synk.skalSlettes),
        tid(synk.startet),
      ]),
    ),
    'Ingen synker',
  );
}
