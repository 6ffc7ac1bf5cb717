import { KODEVERK } from '@tiltak/avtale';
import type { Felt } from '../avtaler/felter.ts';
import { sporring, type Lesing } from '../database/lesing.ts';
import type { Celle } from './skjuling.ts';
import type { Inndeling } from './statistikk.dto.ts';

interface Kilde {
  felt: Felt;
  /** how the group of a row is computed; an index holds what it needs */
  uttrykk: string;
  /** from what the database has to what is published */
  les?: (verdi: string) => string;
}

/** What each division reads. */
export const KILDER: Record<Inndeling, Kilde> = {
  TILTAKSTYPE: { felt: 'tiltakstype', uttrykk: 'tiltakstype', les: KODEVERK.tiltakstype.fraKilde },
  STATUS: { felt: 'avtaleStatus', uttrykk: 'avtale_status', les: KODEVERK.avtaleStatus.fraKilde },
  BEDRIFT: { felt: 'bedriftNr', uttrykk: `nullif(bedrift_nr, '')` },
  MAANED: { felt: 'startDato', uttrykk: `to_char(start_dato, 'YYYY-MM')` },
};

/** Every group with its size. Counted in an index: it is all of them, but nothing else of them is read. */
export async function tell(lesing: Lesing, per: Inndeling): Promise<Celle[]> {
  const { uttrykk, les = (verdi) => verdi } = KILDER[per];
  const rader = await lesing.hent<{ verdi: string | null; antall: number }>(
    sporring(`select ${uttrykk} as verdi, count(*) as antall from avtale_synlig group by 1`),
    [],
  );
  // Several values that are unknown to this release are one group.
  const grupper = new Map<string | null, number>();
  for (const { verdi, antall } of rader) {
    const navn = verdi === null ? null : les(verdi);
    grupper.set(navn, (grupper.get(navn) ?? 0) + antall);
  }
  return [...grupper].map(([verdi, antall]) => ({ verdi, antall }));
}
