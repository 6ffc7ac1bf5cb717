import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { LOCKS, createTestDatabase, type TestDatabase } from '@tiltak/testing';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { migrate, undoLastMigration } from '../migrate.ts';
import type { MigrationProgress } from '../migration-steps.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { readSchema } from '../schema/read-schema.ts';
import { RELEASED } from './exceptions.ts';

/** Of avtaler, versions, lines of the feed and lines of the audit, each. */
const SIZE = 1_000_000;
/** What a look-up, or a batch of messages, may wait for a migration. */
const LIMIT = '1s';

const released = MIGRATIONS.filter(({ name }) => name in RELEASED);
const connect = ({ host, port, database, migrering }: TestDatabase, count = MIGRATIONS.length): Promise<DataSource> =>
  new DataSource({
    type: 'postgres',
    host,
    port,
    database,
    ...migrering,
    migrations: MIGRATIONS.slice(0, count),
    poolErrorHandler: () => undefined,
  }).initialize();

/** The schema of the last release, with rows. */
async function withReleased(size: number, work: (database: TestDatabase) => Promise<void>): Promise<void> {
  const database = await createTestDatabase();
  try {
    const first = await connect(database, released.length);
    await migrate(first);
    await first.destroy();
    const superuser = new pg.Client({ connectionString: database.url });
    await superuser.connect();
    await superuser.query(FILL(size));
    await superuser.query('analyze');
    await superuser.end();
    await work(database);
  } finally {
    await database.remove();
  }
}

/** Does the same over and over in a session that waits for no lock longer than the limit. */
class Live {
  readonly heldUp: string[] = [];
  done = 0;
  refused = 0;
  private readonly database: TestDatabase;
  private readonly login: TestDatabase['ingestor'];
  private readonly statements: (n: number) => string[];
  private readonly running: Promise<void>;
  private isOver = false;

  constructor(database: TestDatabase, login: TestDatabase['ingestor'], statements: (n: number) => string[]) {
    this.database = database;
    this.login = login;
    this.statements = statements;
    this.running = this.run();
  }

  private async run(): Promise<void> {
    const { host, port, database, login } = { ...this.database, login: this.login };
    const options = `-c lock_timeout=${LIMIT} -c datadeling.kontrakt=2`;
    const client = new pg.Client({ host, port, database, user: login.username, password: login.password, options });
    await client.connect();
    for (let n = 0; !this.isOver; n++) {
      for (const sql of this.statements(n)) {
        const failed = await client.query(sql).then(
          () => undefined,
          (error: pg.DatabaseError) => error,
        );
        if (!failed) this.done++;
        else if (failed.code === '55P03') this.heldUp.push(sql);
        else if (LACKS.test(failed.code ?? '')) this.refused++;
        else throw failed;
      }
      // What is watched is who waits for whom, not how much goes through.
      await wait(10);
    }
    await client.end();
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.running;
  }
}

/** A table, a column or a right that is not there in this state of the schema, or a value that it demands. */
const LACKS = /^(42P01|42703|42501|42883|23502|23514|25P02|40P01)$/;

const lookUp = (n: number): string[] => [
  `select * from avtale_synlig where avtale_id = md5('${String(n % SIZE)}')::uuid`,
  `select count(*) from avtale_synlig where deltaker_id = md5('d${String(n % 1_000)}')::uuid`,
  `insert into oppslag (konsument, operasjon, felter, personer, tillatt, call_id) values ('k', 'sokAvtaler', '{}', '{}', true, 'c')`,
];

/** As one transaction, as the ingestor has it: the position, the avtale, its version and its line of the feed. */
const update = (n: number): string[] => [
  `do $$ begin
     update konsum_offset set neste_offset = neste_offset + 1;
     update avtale set mottatt = now(), bedrift_navn = '${String(n)}' where avtale_id = md5('${String((n * 7) % SIZE)}')::uuid;
     insert into avtale_versjon (avtale_id, feilregistrert, kilde_partisjon, kilde_offset, avtrykk)
       values (md5('${String((n * 7) % SIZE)}')::uuid, false, 0, 1, gen_random_uuid());
     insert into endring (avtale_id, type) values (md5('${String((n * 7) % SIZE)}')::uuid, 'ENDRET');
   end $$`,
];

/** How long those that wait for a lock of the owner's have waited, as the database says. */
class Sampler {
  longest = { ms: 0, what: 'nothing' };
  migration = '';
  private readonly url: string;
  private readonly owner: string;
  private isOver = false;
  private readonly running: Promise<void>;

  constructor(url: string, owner: string) {
    this.url = url;
    this.owner = owner;
    this.running = this.run();
  }

  private async run(): Promise<void> {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    while (!this.isOver) {
      const { rows } = await client.query<{ ms: number; what: string }>(WAITS, [this.owner]);
      for (const { ms, what } of rows)
        if (ms > this.longest.ms) this.longest = { ms, what: `${this.migration}: ${what}` };
      await wait(25);
    }
    await client.end();
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.running;
  }
}

const WAITS = `
  select extract(epoch from clock_timestamp() - locks.waitstart)::float * 1000 as ms,
    coalesce(locks.relation::regclass::text, locks.locktype) || ' ' || locks.mode as what
  from ${LOCKS} join pg_stat_activity a using (pid)
  where not locks.granted and locks.waitstart is not null and a.usename <> $1
    and exists (select from unnest(pg_blocking_pids(locks.pid)) b(pid) join pg_stat_activity o on o.pid = b.pid where o.usename = $1)`;

test('at a million of each, no look-up and no batch waits a second for a migration, up or down', async () => {
  await withReleased(SIZE, async (database) => {
    const sampler = new Sampler(database.url, database.migrering.username);
    const live = [new Live(database, database.queryApi, lookUp), new Live(database, database.ingestor, update)];
    const took: [string, number][] = [];
    const each = async (count: number, what: string, work: (db: DataSource) => Promise<unknown>): Promise<void> => {
      const db = await connect(database, count);
      sampler.migration = `${what} ${MIGRATIONS[count - 1]?.name ?? ''}`;
      const began = performance.now();
      await work(db);
      took.push([sampler.migration, Math.round(performance.now() - began)]);
      await db.destroy();
    };
    try {
      for (let count = released.length + 1; count <= MIGRATIONS.length; count++) await each(count, 'up', migrate);
      for (let count = MIGRATIONS.length; count > released.length; count--)
        await each(count, 'down', undoLastMigration);
    } finally {
      await Promise.all([sampler.end(), ...live.map((session) => session.end())]);
    }
    const slowest = took.toSorted(([, a], [, b]) => b - a).slice(0, 8);
    console.info(
      JSON.stringify({ longest: sampler.longest, live: live.map(({ done, refused }) => ({ done, refused })), slowest }),
    );
    expect(live.map(({ heldUp }) => heldUp)).toEqual([[], []]);
    expect(sampler.longest.ms).toBeLessThan(1_000);
    expect(live.every(({ done }) => done > 100)).toBe(true);
  });
}, 3_600_000);

/** Killed at one of its first signs of life, each time a later one, until it comes to its end. */
async function killedAgainAndAgain(
  database: TestDatabase,
  work: (db: DataSource, options: { onProgress: (progress: MigrationProgress) => void }) => Promise<unknown>,
): Promise<number> {
  const superuser = new pg.Client({ connectionString: database.url });
  await superuser.connect();
  try {
    for (let kills = 0; ; kills++) {
      const db = await connect(database);
      const fatal = 1 + (kills % 8);
      let signs = 0;
      const onProgress = ({ event }: MigrationProgress): void => {
        // In the middle of what it does next.
        if (signs++ === fatal) void wait(kills % 3).then(() => superuser.query(KILL, [database.migrering.username]));
        expect(event).not.toBe('');
      };
      const isDone = await work(db, { onProgress }).then(
        () => signs <= fatal,
        (error: { code?: string; message: string }) => {
          if (!/57P01|08006|Connection terminated/.test(`${error.code ?? ''} ${error.message}`)) throw error;
          return false;
        },
      );
      await db.destroy().catch(() => undefined);
      if (isDone) return kills;
    }
  } finally {
    await superuser.end();
  }
}

const KILL = `select pg_terminate_backend(pid) from pg_stat_activity where usename = $1`;

test('killed at whatever step, and run again, it ends in the schema that it would have come to, up and down', async () => {
  await withReleased(20_000, async (database) => {
    const first = await connect(database);
    const before = await readSchema(first);
    await first.destroy();
    expect(await killedAgainAndAgain(database, migrate)).toBeGreaterThan(10);
    const db = await connect(database);
    expect(await readSchema(db)).toBe(readFileSync(join(import.meta.dirname, '..', '..', 'schema.sql'), 'utf8'));
    await db.destroy();
    await killedAgainAndAgain(database, async (owner, options) => {
      for (let rest = await doneIn(owner); rest > released.length; rest = await doneIn(owner))
        await undoLastMigration(owner, options);
    });
    const last = await connect(database);
    expect(await readSchema(last)).toBe(before);
    await last.destroy();
  });
}, 1_200_000);

const doneIn = async (db: DataSource): Promise<number> => {
  const [row] = await db.query<{ count: number }[]>('select count(*)::integer as count from migrations');
  return row?.count ?? 0;
};

const FILL = (size: number): string => `
  set synchronous_commit = off;
  insert into avtale (avtale_id, avtale_nr, deltaker_fnr, bedrift_nr, tiltakstype, avtale_status, avtale_inngaatt, start_dato,
      slutt_dato, feilregistrert, sist_endret, deltaker_id, kilde_partisjon, kilde_offset, avtrykk)
    select md5(n::text)::uuid, n, 'd' || n % (${String(size)} / 3), 'b' || n % 5000, case n % 10 when 0 then 'MENTOR' else 'SOMMERJOBB' end,
      'GJENNOMFØRES', now(), current_date - n % 1000, current_date + n % 1000, n % 1000 = 0, now(),
      md5('d' || n % (${String(size)} / 3))::uuid, n % 6, n, md5(n::text)::uuid
    from generate_series(1, ${String(size)}) n;
  insert into avtale_versjon (avtale_id, deltaker_id, bedrift_nr, tiltakstype, avtale_inngaatt, feilregistrert, kilde_partisjon,
      kilde_offset, avtrykk)
    select avtale_id, deltaker_id, bedrift_nr, tiltakstype, avtale_inngaatt, false, kilde_partisjon, kilde_offset, avtrykk
    from avtale;
  insert into endring (avtale_id, type) select avtale_id, 'ENDRET' from avtale;
  insert into oppslag (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id)
    select 'k' || n % 40, 'B1', 'sokAvtaler', '{avtaleId,avtaleNr}', array[md5('d' || n)::uuid], 1, true, gen_random_uuid()::text
    from generate_series(1, ${String(size)}) n;
  insert into konsum_offset select 'topic', n, 0 from generate_series(0, 5) n;
  insert into parkert_melding (topic, partisjon, kafka_offset, nokkel, verdi, avtrykk, kode, aarsak, tilstand)
    select 'topic', 0, n, convert_to(md5(n::text)::uuid::text, 'UTF8'), convert_to(repeat('x', 500), 'UTF8'), sha256(n::text::bytea),
      'K', 'A', case n % 10 when 0 then 'PARKERT' else 'FORKASTET' end
    from generate_series(1, ${String(Math.round(size / 50))}) n;`;
