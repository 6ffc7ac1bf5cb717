import pg, { type FieldDef, type PoolClient, type QueryResultRow, type Submittable } from 'pg';
import type { Answer, Db, Statement } from './db.ts';

/** What pg has of a connection, and tells in no other way. */
interface Connection {
  stream: { cork: () => void; uncork: () => void; write: (bytes: Buffer) => void };
  parsedStatements: Record<string, string | undefined>;
  parse: (statement: { name: string; text: string }) => void;
  bind: (portal: { statement: string; values: unknown[]; valueMapper: (value: unknown) => unknown }) => void;
  describe: (what: { type: 'P' }) => void;
  execute: (portal: object) => void;
  sync: () => void;
}

interface Entry extends Required<Statement> {
  /** of a COPY */
  data?: string;
  resolve: (answer: Answer<never>) => void;
  reject: (error: unknown) => void;
}

/**
 * Statements, and the data of COPYs among them, that are sent together and answered together: a transaction takes as many
 * round trips as it has questions, not as it has statements. Whoever asks must not wait for the answer before `send`.
 *
 * After the first statement that fails the database skips all that follows up to the end of what was sent, the data of a
 * COPY too: nothing half is left, and all that was asked fails with that error. The connection is then to be given up.
 *
 * As with pg itself, a statement that has a name is prepared once for the connection, and any other is planned each time: a
 * plan from when its tables were empty may go by any index, and would be kept while they grow.
 */
export class Pipeline implements Db {
  private readonly db: PoolClient;
  private entries: Entry[] = [];

  constructor(db: PoolClient) {
    this.db = db;
  }

  query<Row extends QueryResultRow>(statement: string | Statement, values: unknown[] = []): Promise<Answer<Row>> {
    const { name, text, values: own }: Statement = typeof statement === 'string' ? { text: statement } : statement;
    return this.add({ name: name ?? UNNAMED, text, values: own ?? values });
  }

  /** @param rows as `copyRow` makes them */
  async copy(into: string, rows: readonly string[]): Promise<void> {
    await this.add({ name: UNNAMED, text: `copy ${into} from stdin`, values: [], data: rows.join('') });
  }

  private add<Row>(entry: Omit<Entry, 'resolve' | 'reject'>): Promise<Answer<Row>> {
    return new Promise((resolve, reject) => this.entries.push({ ...entry, resolve, reject }));
  }

  /**
   * Sends what has been asked, and waits for the answers of all of it.
   *
   * @param asked what the questions were put by
   * @throws what the first of them that failed was answered
   */
  async send(asked: readonly Promise<unknown>[]): Promise<void> {
    const { entries } = this;
    this.entries = [];
    if (entries.length > 0) this.db.query(new Sending(entries));
    await Promise.all(asked);
  }
}

const { prepareValue } = (pg as unknown as { utils?: { prepareValue?: (value: unknown) => unknown } }).utils ?? {};

/** One `send`, as pg runs a query. */
class Sending implements Submittable {
  private readonly entries: Entry[];
  private at = 0;
  private fields: FieldDef[] = [];
  private rows: QueryResultRow[] = [];

  constructor(entries: Entry[]) {
    this.entries = entries;
  }

  submit(connection: unknown): void {
    const to = connection as Connection;
    to.stream.cork();
    for (const { name, text, values, data } of this.entries) {
      parse(to, name, text);
      to.bind({ statement: name, values, valueMapper: prepareValue ?? String });
      if (data === undefined) to.describe({ type: 'P' });
      to.execute({});
      if (data !== undefined) sendCopy(to, data);
    }
    to.sync();
    to.stream.uncork();
  }

  handleRowDescription({ fields }: { fields: FieldDef[] }): void {
    this.fields = fields;
  }

  handleDataRow({ fields: values }: { fields: (string | null)[] }): void {
    const row: Record<string, unknown> = {};
    for (const [i, { name, dataTypeID }] of this.fields.entries()) {
      const value = values[i] ?? null;
      row[name] = value === null ? null : (pg.types.getTypeParser(dataTypeID)(value) as unknown);
    }
    this.rows.push(row);
  }

  handleCommandComplete({ text }: { text: string }): void {
    const count = /\d+$/.exec(text)?.[0];
    const rows = this.rows as never[];
    this.entries[this.at++]?.resolve({ rows, rowCount: count === undefined ? null : Number(count) });
    this.rows = [];
  }

  /** Its data has been sent already. */
  handleCopyInResponse(): void {
    return;
  }

  handlePortalSuspended(): void {
    return;
  }

  handleEmptyQuery(): void {
    return;
  }

  /** Also of a connection that is lost: then none of them may count on what was answered before. */
  handleError(error: Error): void {
    for (const entry of this.entries.slice(this.at)) entry.reject(error);
  }

  handleReadyForQuery(): void {
    return;
  }
}

const UNNAMED = '';

function parse(connection: Connection, name: string, text: string): void {
  if (name !== UNNAMED && connection.parsedStatements[name] !== undefined) return;
  connection.parse({ name, text });
  // Should it come to nothing, the connection is given up.
  if (name !== UNNAMED) connection.parsedStatements[name] = text;
}

const COPY_DATA = 0x64;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
/** So that the database does not hold all of it at once. */
const CHUNK_BYTES = 256 * 1024;

function sendCopy({ stream }: Connection, data: string): void {
  const bytes = Buffer.from(data);
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES) {
    const chunk = bytes.subarray(from, from + CHUNK_BYTES);
    const head = Buffer.from([COPY_DATA, 0, 0, 0, 0]);
    head.writeUInt32BE(chunk.length + 4, 1);
    stream.write(head);
    stream.write(chunk);
  }
  stream.write(COPY_DONE);
}
