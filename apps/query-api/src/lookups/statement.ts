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
  /** never set: it tells the compiler what a row looks like */
  row?: Row;
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
