// @ts-check
import { call, el, fillTable, number, row, time } from './felles.js';

const STATES = { BRA: 'bra', OBS: 'obs', FEIL: 'feil' };
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];
/** Of indexes: the smaller ones tell nothing. */
const SHOWN_INDEXES = 15;

/** In its largest unit, with a decimal. */
function size(bytes) {
  const unit = bytes < 1_000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1_000 ** unit;
  return `${value.toLocaleString('nb-NO', { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 })} ${UNITS[unit]}`;
}

const percent = (share) => (share === null ? '–' : `${Math.round(share * 100)} %`);

/** What the database takes; every five minutes it is measured anew. */
export async function readStorage() {
  const storage = await call('GET', '/plass');
  el('plass-prikk').dataset.tilstand = STATES[storage.tilstand];
  const of = storage.plassByte === null ? '' : ` av ${size(storage.plassByte)}`;
  el('plass-om').textContent = `${size(storage.databaseByte)}${of}`;
  el('plass-fakta').textContent =
    `Målt ${time(storage.maalt)}. ${number(storage.transaksjonsalder)} transaksjoner siden den eldste som ikke er frosset; ` +
    `${number(storage.aapenTransaksjonsalder)} siden den eldste som er åpen.`;
  fillTable(
    'plass-tabeller',
    storage.tabeller.map((table) =>
      row([
        table.tabell,
        number(table.rader),
        `${number(table.doedeRader)}${table.tilstand === 'BRA' ? '' : ' – mange'}`,
        size(table.tabellByte),
        size(table.indeksByte),
        size(table.toastByte),
        percent(table.hotAndel),
      ]),
    ),
    'Ingen tabeller',
  );
  fillTable(
    'plass-indekser',
    storage.indekser.slice(0, SHOWN_INDEXES).map((index) => row([index.indeks, index.tabell, size(index.antallByte)])),
    'Ingen indekser',
  );
  fillTable(
    'plass-spor',
    storage.replikeringsspor.map((slot) =>
      row([
        slot.spor,
        slot.slag === 'LOGISK' ? 'Tabell for analyse' : 'Annen tjener',
        size(slot.holdtTilbakeByte),
        slot.tapt ? 'Tapt: abonnenten begynner på nytt' : slot.tilstand === 'BRA' ? 'Følger med' : 'Henger etter',
      ]),
    ),
    'Ingen replikerer herfra',
  );
}
