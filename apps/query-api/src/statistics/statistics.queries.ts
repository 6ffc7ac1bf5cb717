import { CODE_VALUES } from '@tiltak/avtale';
import type { AvtaleField } from '../avtaler/avtaler.fields.ts';
import { preparedStatement, type Reader } from '../lookups/reader.ts';
import type { Cell } from './suppression.ts';
import type { Grouping } from './statistics.dto.ts';

interface Source {
  felt: AvtaleField;
  /** how the group of a row is computed; an index holds what it needs */
  expression: string;
  /** from what the database has to what is published */
  les?: (value: string) => string;
}

/** What each division reads. */
export const SOURCES: Record<Grouping, Source> = {
  TILTAKSTYPE: { felt: 'tiltakstype', expression: 'tiltakstype', les: CODE_VALUES.tiltakstype.fromSource },
  STATUS: { felt: 'avtaleStatus', expression: 'avtale_status', les: CODE_VALUES.avtaleStatus.fromSource },
  BEDRIFT: { felt: 'bedriftNr', expression: `nullif(bedrift_nr, '')` },
  MAANED: { felt: 'startDato', expression: `to_char(start_dato, 'YYYY-MM')` },
};

/** Every group with its size. Counted in an index: it is all of them, but nothing else of them is read. */
export async function countBy(reading: Reader, per: Grouping): Promise<Cell[]> {
  const { expression, les: read = (value) => value } = SOURCES[per];
  const rows = await reading.query<{ verdi: string | null; antall: number }>(
    preparedStatement(`select ${expression} as verdi, count(*) as antall from avtale_synlig group by 1`),
    [],
  );
  // Several values that are unknown to this release are one group.
  const groups = new Map<string | null, number>();
  for (const { verdi: value, antall: count } of rows) {
    const name = value === null ? null : read(value);
    groups.set(name, (groups.get(name) ?? 0) + count);
  }
  return [...groups].map(([value, count]) => ({ verdi: value, antall: count }));
}
