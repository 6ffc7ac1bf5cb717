import { fingerprint } from '@tiltak/platform';
import { momentSqlFor } from '../freshness/moment.sql.ts';
import type { AuditRow } from './audit-row.ts';
import { AUDIT_COLUMNS, AUDIT_INSERT, listText } from './shared-audit.ts';
import type { Statement } from './statement.ts';

/** One look-up among those that share a statement. */
export interface SharedLookup {
  /** as the database has them */
  values: readonly unknown[];
  /** rows that are told of; one more may be read */
  size: number;
  /** what the statement writes of it; undefined where it is written elsewhere */
  audit: AuditRow | undefined;
}

/** What the database is asked for all of them at once. */
export interface SharedStatement {
  statement: Statement;
  valuesOf: (lookups: readonly SharedLookup[]) => unknown[];
}

/** More than any look-up reads. */
export const NO_PAGE = 2_147_483_647;

/** Whose idents are whose is asked once, for all. */
const PERSONS = /personens_identer\(\$(\d+)::uuid\[\]\)/g;
const PARAM = /\$(\d+)::([a-z]+(?:\[\])?)/g;

/**
 * The statement for any number of look-ups by it, in one snapshot. Each is planned by itself (`offset 0`), is run with its
 * own values, and bears its number. Each row has the moment first, then the number of its look-up and its place among the
 * rows of that, from 1; without any there is one row with the moment alone. Where it is audited, the same statement writes
 * of each look-up what it found, once something is promised at all.
 *
 * @param types of the values, all of which the text names as `$1::type`
 */
export function sharedStatement(
  { name, text }: Statement,
  types: readonly string[],
  isAudited: boolean,
): SharedStatement {
  const persons = [...text.matchAll(PERSONS)].map(([, param]) => Number(param));
  const head = columnsOf(types, persons, isAudited);
  const given = head.map(({ type }, i) => `$${String(i + 1)}::${type}[]`);
  const shared = `
    with inn as materialized (
        select inn.* from ${unnest(given)} as inn(${head.map((column) => column.name).join(', ')}, oppslag)),
      ${persons.map((param, i) => personsOf(param, head.length + 3 * i)).join('')}
      moment as materialized (select ${momentSqlFor(text)} as til),
      treff as materialized (
        select inn.oppslag, funnet.* from inn
        ${persons.map((param) => `join personer${String(param)} using (oppslag)`).join(' ')}
        cross join lateral (
          select row_number() over ()::integer as row_place, rad.* from (${ofOne(text)}) rad offset 0) funnet)
      ${isAudited ? `, ${AUDIT_INSERT}` : ''}
    select moment.til as answer_moment, treff.* from moment left join treff on true`;
  return {
    // A text of which there may be any number is prepared each time, as it is alone.
    statement:
      name === undefined ? { text: shared } : { name: fingerprint(shared).toString('base64url'), text: shared },
    valuesOf: (lookups) => [
      ...head.map(({ of }) => lookups.map(of)),
      ...persons.flatMap((param) => personValues(lookups, param)),
    ],
  };
}

/** Of the table of look-ups. */
export interface Column {
  name: string;
  type: string;
  of: (lookup: SharedLookup) => unknown;
}

function columnsOf(types: readonly string[], persons: readonly number[], isAudited: boolean): Column[] {
  const values = types.flatMap((type, i): Column[] => {
    if (persons.includes(i + 1)) return [];
    const name = `v${String(i + 1)}`;
    // Lists of different lengths don't go into a list: they are text on their way.
    if (type.endsWith('[]')) return [{ name, type: 'text', of: ({ values }) => listText(values[i] as string[]) }];
    return [{ name, type, of: ({ values }) => values[i] }];
  });
  const size: Column = { name: 'antall_paa_siden', type: 'integer', of: (lookup) => lookup.size };
  return [...values, size, ...(isAudited ? AUDIT_COLUMNS : [])];
}

/**
 * Lists as a table, with the number of each row. From a select of their own: the planner then knows no more of their
 * lengths with the values than without, so that it keeps its plan also where no session tells it to (a pooler).
 */
function unnest(lists: readonly string[]): string {
  const named = lists.map((list, i) => `${list} as l${String(i)}`).join(', ');
  const names = lists.map((_, i) => `l${String(i)}`).join(', ');
  return `(select ${named} offset 0) lister cross join lateral unnest(${names}) with ordinality`;
}

/** For each look-up that names persons: all their idents, each with the place of who was asked for. */
function personsOf(param: number, before: number): string {
  const [ids, lookups, places] = [1, 2, 3].map((i) => `$${String(before + i)}`);
  return `personer${String(param)} as materialized (
        select hvem.oppslag, array_agg(hvem.plass) as plasser, array_agg(den.ident) as identer
        from ${unnest([`${String(lookups)}::integer[]`, `${String(places)}::integer[]`])} as hvem(oppslag, plass, nr)
        join personens_identer(${String(ids)}::uuid[]) as den(nr, ident) using (nr)
        group by hvem.oppslag),
      `;
}

function personValues(lookups: readonly SharedLookup[], param: number): unknown[][] {
  const ids = lookups.map(({ values }) => values[param - 1] as readonly string[]);
  return [
    ids.flat(),
    ids.flatMap((own, lookup) => own.map(() => lookup + 1)),
    ids.flatMap((own) => own.map((_, place) => place + 1)),
  ];
}

/** The text with what the look-up `inn` has, where its own values were. */
function ofOne(text: string): string {
  return text
    .replace(PERSONS, (_, param: string) => `unnest(personer${param}.plasser, personer${param}.identer)`)
    .replace(PARAM, (_, param: string, type: string) => `inn.v${param}::${type}`);
}
