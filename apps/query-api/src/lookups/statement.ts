import { fingerprint } from '@tiltak/platform';
import type { QueryResultRow } from 'pg';

/** A statement with its name, under which the database keeps it prepared; without one it is prepared each time. */
export interface Statement {
  name?: string;
  text: string;
}

/** National idents among the values of a query. The database is given the opaque ids: it knows persons by nothing else. */
export class Persons {
  constructor(readonly idents: readonly string[]) {}
}

/** What to ask the database, as data: only what lies in `lookups/` can run it. */
export interface Query<Row extends QueryResultRow> {
  statement: Statement;
  values: readonly unknown[];
  keys?: Keys | undefined;
  /** never set: it tells the compiler what a row looks like */
  row?: Row;
}

/**
 * Of a query that finds its rows by keys, an index of each: the database has one plan for all values, instead of one that
 * it makes each time and that costs it more than the rows (ADR 38).
 */
export interface Keys {
  /** of each value, as the database calls it */
  types: readonly string[];
  /** look-ups of the same text that may share a statement; 1: it can find so much that it goes alone */
  maxShared: number;
}

/** Keys of a look-up that shares a statement: beyond them, it is others that would wait. */
const MAX_KEYS = 20;
/** Look-ups of a few rows each in one statement: more of them make it longer, and hardly cheaper. */
const MAX_SHARED = 64;
/** The same, of those that may find a page each. */
const MAX_SHARED_PAGES = 8;
const MAX_PAGE = 101;

/**
 * Whether a look-up may share a statement, and with how many.
 *
 * @param count of its keys
 * @param rows at most, where a key may have any number of them; absent where it has a few
 */
export function keysOf(types: readonly string[], count: number, rows?: number): Keys {
  const isSmall = count <= MAX_KEYS && (rows ?? 0) <= MAX_PAGE;
  return { types, maxShared: isSmall ? (rows === undefined ? MAX_SHARED : MAX_SHARED_PAGES) : 1 };
}

/** What a connection has prepared, it keeps, and there is no end of choices that consumers can make. */
const MAX_CHOSEN_STATEMENTS = 300;
const fixed = new Map<string, Statement>();
const chosen = new Map<string, Statement>();

/** The same text always has the same name: a connection prepares it once. There are as many as kinds of searches. */
export function preparedStatement(text: string): Statement {
  return fixed.get(text) ?? remember(fixed, text);
}

/** A statement whose columns a consumer has chosen: the first few hundred are prepared. */
export function chosenStatement(text: string): Statement {
  return chosen.get(text) ?? (chosen.size < MAX_CHOSEN_STATEMENTS ? remember(chosen, text) : { text });
}

function remember(statements: Map<string, Statement>, text: string): Statement {
  const statement = { name: fingerprint(text).toString('base64url'), text };
  statements.set(text, statement);
  return statement;
}
