import { wasCurrentAt } from '../avtaler/avtaler.queries.ts';
import { personsAsked } from '../avtaler/persons.sql.ts';
import { Persons, preparedStatement, type Query, type Statement } from '../lookups/statement.ts';

export interface TiltakRow {
  /** place of the person in the list asked for, from 1 */
  nr: number;
  tiltakstype: string | null;
  avtale_status: string | null;
  start_dato: string;
  slutt_dato: string | null;
  [column: string]: string | number | null;
}

/**
 * The measures that each person is on at a date: entered into, not annulled or aborted, begun and not ended. The dates
 * and not the status decide, since the status is only recomputed each night at the source, and since the date asked
 * about need not be today. With `gjeldendePer` (RFC 3339): as the system knew it then.
 */
export function tiltakQuery(
  personidenter: string[],
  { date, gjeldendePer }: { date: string; gjeldendePer?: string | undefined },
): Query<TiltakRow> {
  return gjeldendePer === undefined
    ? { statement: TILTAK, values: [new Persons(personidenter), date] }
    : { statement: TILTAK_AS_OF, values: [new Persons(personidenter), date, gjeldendePer] };
}

const TILTAK = tiltakStatement('avtale_synlig');
const TILTAK_AS_OF = tiltakStatement('avtale_versjon_synlig da', `and ${wasCurrentAt('$3::timestamptz')}`);

function tiltakStatement(source: string, conditions = ''): Statement {
  return preparedStatement(`
  select nr, tiltakstype, avtale_status, start_dato, slutt_dato
  from ${personsAsked('$1')} spurt join ${source} on deltaker_id = ident
  where avtale_inngaatt is not null and annullert_tidspunkt is null
    and avtale_status is distinct from 'ANNULLERT' and avtale_status is distinct from 'AVBRUTT'
    and start_dato <= $2::date and (slutt_dato >= $2::date or slutt_dato is null) ${conditions}
  order by start_dato, slutt_dato, avtale_id`);
}
