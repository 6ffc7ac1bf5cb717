import type { QueryResultRow } from 'pg';

/** A statement as pg takes it. */
export interface Statement {
  name?: string;
  text: string;
  values?: unknown[];
}

export interface Answer<Row> {
  rows: Row[];
  rowCount: number | null;
}

/** What takes statements of a transaction: a connection, or a `Pipeline` over one. */
export interface Db {
  query: <Row extends QueryResultRow>(statement: string | Statement, values?: unknown[]) => Promise<Answer<Row>>;
}
