import { CODE_VALUES, type AvtaleField } from '@tiltak/avtale';
import { preparedStatement, type Query } from '../lookups/statement.ts';
import type { Grouping } from './statistics.dto.ts';
import type { Cell } from './suppression.ts';

/** The field of an avtale that each grouping tells of. */
export const GROUPED_FIELD: Record<Grouping, AvtaleField> = {
  TILTAKSTYPE: 'tiltakstype',
  STATUS: 'avtaleStatus',
  BEDRIFT: 'bedriftNr',
  MAANED: 'startDato',
};

/** How the group of a row is computed; an index holds what it needs. */
const GROUP_EXPRESSION: Record<Grouping, string> = {
  TILTAKSTYPE: 'tiltakstype',
  STATUS: 'avtale_status',
  BEDRIFT: `nullif(bedrift_nr, '')`,
  MAANED: `to_char(start_dato, 'YYYY-MM')`,
};

/** From what the database has to what is published; left out where that is the same. */
const PUBLISHED: Partial<Record<Grouping, (value: string) => string>> = {
  TILTAKSTYPE: CODE_VALUES.tiltakstype.fromSource,
  STATUS: CODE_VALUES.avtaleStatus.fromSource,
};

export interface GroupRow {
  verdi: string | null;
  antall: number;
}

/** Every group with its size. Counted in an index: it is all of them, but nothing else of them is read. */
export function groupsQuery(per: Grouping): Query<GroupRow> {
  const text = `select ${GROUP_EXPRESSION[per]} as verdi, count(*) as antall from avtale_synlig group by 1`;
  return { statement: preparedStatement(text), values: [] };
}

export function toGroups(per: Grouping, rows: GroupRow[]): Cell[] {
  const published = PUBLISHED[per] ?? ((value) => value);
  // Several values that are unknown to this release are one group.
  const sizes = new Map<string | null, number>();
  for (const { verdi: value, antall: count } of rows) {
    const name = value === null ? null : published(value);
    sizes.set(name, (sizes.get(name) ?? 0) + count);
  }
  return [...sizes].map(([value, count]) => ({ verdi: value, antall: count }));
}
