import { todayInOslo } from '@tiltak/avtale';
import { logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { publish, type Table } from './publish.ts';
import {
  deleteOthers,
  insertFigures,
  isDue,
  NO_DAY,
  NOW,
  readGeneration,
  readGroups,
  readTable,
  serve,
  tryLock,
  unlock,
  type Generation,
} from './statistics.queries.ts';
import { DIVISIONS, looksAtPhase, nameOf, type Division } from './tables.ts';

/** Months before this one that figures are told of. */
const MONTHS = 36;

/** Works out, once a day, the figures that consumers are answered with until the next day. */
export class Statistics {
  private job: BackgroundJob | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly topic: string,
  ) {}

  start(): void {
    this.job = startJob({
      name: 'statistikk',
      everyMs: 10_000,
      run: async (signal) => {
        const stillDue = (): Promise<boolean> => isDue(this.pool, this.topic);
        if (await stillDue()) await publishFigures(this.pool, { signal, stillDue });
      },
    });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }
}

/** What the figures of one moment are made with. */
interface Round {
  pool: Pool;
  /** reads what was there at the moment, and nothing that has come since */
  db: PoolClient;
  before: Generation | undefined;
  next: Generation;
  months: number;
  signal: AbortSignal | undefined;
}

/**
 * Reads everything in one snapshot, in a transaction that writes nothing: one that does would hold up the change feed.
 * What is written is not served before all of it is there.
 *
 * @param options the moment that the figures are of, how many months before it, and whether they are still to be made
 * once nobody else can: another ingestor may have made them since they were found due
 * @returns whether they were made; not when another ingestor makes them or has made them, or it was told to stop
 */
export async function publishFigures(
  pool: Pool,
  {
    now = new Date(),
    months = MONTHS,
    signal,
    stillDue = () => Promise.resolve(true),
  }: { now?: Date; months?: number; signal?: AbortSignal; stillDue?: () => Promise<boolean> } = {},
): Promise<boolean> {
  const db = await pool.connect();
  try {
    if (!(await tryLock(db))) {
      db.release();
      return false;
    }
    if (!(await stillDue())) {
      await unlock(db);
      db.release();
      return false;
    }
    const before = await readGeneration(db);
    const next = { number: (before?.number ?? 0) + 1, moment: now.toISOString() };
    await deleteOthers(pool, before?.number);
    await db.query(`begin isolation level repeatable read read only; set local work_mem = '64MB'; set local jit = off`);
    const done = await publishAll({ pool, db, before, next, months, signal });
    await db.query('commit');
    if (done) {
      await serve(pool, next);
      await deleteOthers(pool, next.number);
      logger.info({ tidspunkt: next.moment }, 'The figures of statistics are made');
    }
    await unlock(db);
    db.release();
    return done;
  } catch (error) {
    // With the connection the lock goes too.
    db.release(true);
    throw error;
  }
}

type Tables = Map<string, Table>;

async function publishAll(round: Round): Promise<boolean> {
  const today = todayInOslo(new Date(round.next.moment));
  const ofNoDay = await publishDay(round, { day: NO_DAY, phaseDay: today, parents: new Map() });
  let later: Tables | undefined;
  // From today backwards: today's figures are told as they are, and those of a month as they differ from later ones.
  for (const day of [NOW, ...monthEnds(today, round.months)]) {
    if (round.signal?.aborted) return false;
    later = await publishDay(round, { day, phaseDay: day === NOW ? today : day, parents: ofNoDay, later });
  }
  return true;
}

interface Day {
  /** as it is stored */
  day: string;
  /** YYYY-MM-DD */
  phaseDay: string;
  /** tables that have no phases in them, by name */
  parents: Tables;
  later?: Tables | undefined;
}

async function publishDay(round: Round, { day, phaseDay, parents, later }: Day): Promise<Tables> {
  const tables: Tables = new Map(parents);
  const told: Tables = new Map();
  for (const division of DIVISIONS.filter((one) => looksAtPhase(one) === (day !== NO_DAY))) {
    const name = nameOf(division);
    const groups = await readGroups(round.db, division.dimensions, phaseDay);
    const table = publish(groups, {
      parents: division.parents.map((parent) => tables.get(nameOf(parent)) ?? new Map()),
      previous: await previousTable(round, division, day),
      later: later?.get(name),
    });
    tables.set(name, table);
    told.set(name, table);
    await write(round, { division: name, day }, table);
  }
  return told;
}

/** Of a month that has just ended: what was told while it lasted. */
async function previousTable({ db, before }: Round, division: Division, day: string): Promise<Table | undefined> {
  if (!before) return undefined;
  const name = nameOf(division);
  return (await readTable(db, before, name, day)) ?? (day === NO_DAY ? undefined : readTable(db, before, name, NOW));
}

async function write(round: Round, place: { division: string; day: string }, table: Table): Promise<void> {
  const db = await round.pool.connect();
  try {
    await insertFigures(db, { ...place, generation: round.next.number }, table.values());
    db.release();
  } catch (error) {
    db.release(true);
    throw error;
  }
}

/** The last days of the months before that of a day, the latest first. */
function monthEnds(today: string, count: number): string[] {
  const [year = 0, month = 0] = today.split('-').map(Number);
  return Array.from({ length: count }, (_, n) => new Date(Date.UTC(year, month - 1 - n, 0)).toISOString().slice(0, 10));
}
