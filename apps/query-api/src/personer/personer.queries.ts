import type { AvtaleField, PhaseFacts } from '@tiltak/avtale';
import { columnsFor, type AvtaleRow } from '../avtaler/avtaler.fields.ts';
import { wasCurrentAt } from '../avtaler/avtaler.queries.ts';
import { personsAsked } from '../avtaler/persons.sql.ts';
import { Persons, chosenStatement, keysOf, type Query } from '../lookups/statement.ts';

/** An avtale of somebody who was asked for, with what its phase is worked out of. */
export type TiltakRow = AvtaleRow & {
  /** place in the list of who was asked for, from 1 */
  nr: number;
  avtale_id: string;
  bedrift_nr: string | null;
  tiltakstype: string | null;
  start_dato: string | null;
  slutt_dato: string | null;
  inngaatt: boolean;
  har_vaert_inngaatt: boolean;
  annullert: boolean;
  annullert_dag: string | null;
  aldri_begynt: boolean;
  fra_arena: boolean;
};

const FACTS =
  'har_vaert_inngaatt, annullert, annullert_dag, aldri_begynt, fra_arena, avtale_inngaatt is not null as inngaatt';
/** What the answer is ordered and filtered by. */
const ALWAYS: readonly AvtaleField[] = ['deltakerFnr', 'avtaleId', 'tiltakstype', 'startDato', 'sluttDato'];

export interface TiltakQuestion {
  /** stored ones, of each avtale that is told of */
  fields: readonly AvtaleField[];
  /** links lead also to avtaler that nobody is on a measure by */
  withLinks: boolean;
  /** RFC 3339: what the system knew then, instead of what it knows now */
  gjeldendePer: string | undefined;
}

/**
 * The avtaler by which these persons are, were or may come to be on a measure; earliest first. By each ident, all of its
 * person: twice, when a person is asked for by two.
 */
export function tiltakQuery(
  personidenter: readonly string[],
  { fields, withLinks, gjeldendePer }: TiltakQuestion,
): Query<TiltakRow> {
  const links: readonly AvtaleField[] = withLinks ? ['bedriftNr'] : [];
  const columns = columnsFor([...new Set([...ALWAYS, ...fields, ...links])]);
  const conditions: string[] = [];
  if (!withLinks) conditions.push('(har_vaert_inngaatt or fra_arena)');
  if (gjeldendePer !== undefined) conditions.push(wasCurrentAt('$2::timestamptz'));
  const from = gjeldendePer === undefined ? 'join avtale_synlig on deltaker_id = ident' : JOINED_VERSIONS;
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  const text = `select nr, ${columns}, ${FACTS}
    from ${personsAsked('$1::uuid[]')} ${from} ${where}
    order by start_dato, slutt_dato, avtale_id`;
  return {
    statement: chosenStatement(text),
    values: [new Persons(personidenter), ...(gjeldendePer === undefined ? [] : [gjeldendePer])],
    keys: keysOf(gjeldendePer === undefined ? ['uuid[]'] : ['uuid[]', 'timestamptz'], personidenter.length),
  };
}

/** Of each avtale that was theirs at some time, the versions that are: an index has only those that say so first (ADR 53). */
const JOINED_VERSIONS = `cross join lateral (
      select distinct avtale_id from versjon_deltaker where versjon_deltaker.deltaker_id = ident offset 0) funnet(id)
    join avtale_versjon_synlig da on da.avtale_id = funnet.id and deltaker_id = ident`;

export function factsOf(row: TiltakRow): PhaseFacts {
  return {
    startDato: row.start_dato,
    sluttDato: row.slutt_dato,
    entered: row.inngaatt,
    everEntered: row.har_vaert_inngaatt,
    annulled: row.annullert,
    annulledDay: row.annullert_dag,
    neverBegan: row.aldri_begynt,
    fromArena: row.fra_arena,
  };
}
