import type { Schemas } from './client.ts';
import type { CopiedAvtale, CopyChange, Store } from './store.ts';

/** What is used of `pg`: a pool of the consumer's own. */
export interface Pool extends Emitter {
  connect: () => Promise<Connection>;
}

interface Emitter {
  on?: (event: 'error', listener: () => void) => unknown;
  off?: (event: 'error', listener: () => void) => unknown;
}

export interface Connection extends Emitter {
  query: (text: string, values?: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>;
  /** @param destroy true: nobody knows what state it is in */
  release: (destroy?: boolean) => void;
}

export interface PostgresStoreOptions<Avtale extends CopiedAvtale = Schemas['Avtale']> {
  pool: Pool;
  /** lower-case letters, digits and `_`; the position lies in a table of the same name with `_posisjon` behind it */
  table?: string;
  /** the consumer's own work with a change, in the same transaction; the copy is already as it says */
  onChange?: (db: Connection, change: CopyChange<Avtale>) => Promise<void>;
  /** the same, after all was read anew: what changed meanwhile is not told */
  onReplaced?: (db: Connection) => Promise<void>;
}

/**
 * A copy in the consumer's Postgres: `avtale_id uuid primary key, innhold jsonb`. Several processes may follow with one
 * store, those of the client for Kotlin too: each change is taken by one of them, exactly once.
 */
export class PostgresStore<Avtale extends CopiedAvtale = Schemas['Avtale']> implements Store<Avtale> {
  private readonly table: string;
  private readonly options: PostgresStoreOptions<Avtale>;

  constructor(options: PostgresStoreOptions<Avtale>) {
    const { table = 'avtale_kopi' } = options;
    if (!/^[a-z][a-z0-9_]{0,50}$/.test(table)) throw new Error('table: lower-case letters, digits and _, 51 at most');
    this.table = table;
    this.options = options;
    // A connection that breaks while nothing is asked on it would end the process; the pool replaces it.
    options.pool.on?.('error', ignore);
  }

  /** The tables, for who has no migrations of their own that make them. */
  get schema(): string {
    return `create table if not exists ${this.table} (avtale_id uuid primary key, innhold jsonb not null);
      create table if not exists ${this.table}_posisjon (
        en boolean primary key default true check (en), posisjon text);
      insert into ${this.table}_posisjon default values on conflict do nothing;`;
  }

  async createTables(): Promise<void> {
    await this.inTransaction(async (db) => {
      // Two processes that start at the same time would make the same table.
      await db.query(`select pg_advisory_xact_lock(hashtext('${this.table}'))`);
      await db.query(this.schema);
    });
  }

  readPosition(): Promise<string | undefined> {
    return this.inTransaction((db) => this.positionOf(db));
  }

  replaceAll(avtaler: AsyncIterable<Avtale[]>, position: string, instead: string | undefined): Promise<boolean> {
    return this.inTransaction(async (db) => {
      if ((await this.positionOf(db, 'for update')) !== instead) return false;
      await db.query(`delete from ${this.table}`);
      for await (const batch of avtaler) await this.put(db, batch);
      await this.options.onReplaced?.(db);
      await this.setPosition(db, position);
      return true;
    });
  }

  apply(change: CopyChange<Avtale>): Promise<boolean> {
    return this.inTransaction(async (db) => {
      if ((await this.positionOf(db, 'for update')) !== change.after) return false;
      if (change.gone.length > 0) {
        await db.query(`delete from ${this.table} where avtale_id = any($1::uuid[])`, [change.gone]);
      }
      if (change.avtaler.length > 0) await this.put(db, change.avtaler);
      await this.options.onChange?.(db, change);
      await this.setPosition(db, change.position);
      return true;
    });
  }

  private async positionOf(db: Connection, lock = ''): Promise<string | undefined> {
    const { rows } = await db.query(`select posisjon from ${this.table}_posisjon ${lock}`);
    const position = rows[0]?.['posisjon'];
    return typeof position === 'string' ? position : undefined;
  }

  private async setPosition(db: Connection, position: string): Promise<void> {
    await db.query(`update ${this.table}_posisjon set posisjon = $1`, [position]);
  }

  private async put(db: Connection, avtaler: readonly Avtale[]): Promise<void> {
    await db.query(
      `insert into ${this.table} (avtale_id, innhold)
       select (avtale ->> 'avtaleId')::uuid, avtale from jsonb_array_elements($1::jsonb) as ny(avtale)
       on conflict (avtale_id) do update set innhold = excluded.innhold`,
      [JSON.stringify(avtaler)],
    );
  }

  private async inTransaction<T>(work: (db: Connection) => Promise<T>): Promise<T> {
    const db = await this.options.pool.connect();
    // The same while it is waited for the next piece of an export; what is asked next fails.
    db.on?.('error', ignore);
    try {
      await db.query('begin');
      const result = await work(db);
      await db.query('commit');
      db.release();
      return result;
    } catch (error) {
      const isWhole = await db.query('rollback').then(
        () => true,
        () => false,
      );
      db.release(!isWhole);
      throw error;
    } finally {
      db.off?.('error', ignore);
    }
  }
}

function ignore(): void {
  // What fails is told by what is asked.
}
