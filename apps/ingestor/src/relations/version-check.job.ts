import { randomUUID } from 'node:crypto';
import { CONTRACT, LOCKS, otherBuilds } from '@tiltak/database';
import { logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import type { GiveWay } from '../background/give-way.ts';
import { metrics } from '../metrics.ts';
import { checkRelations, DELTAKERE_IN_PIECE } from './check.ts';

/** Well within what counts as alive. */
const EVERY_MS = 5_000;

/**
 * Tells that this ingestor lives, by its build; and after a change of build checks the relations of all participants, once,
 * when no other build is alive any more: what another version wrote beside this one is then put right, and told of.
 */
export class VersionCheck {
  private readonly id = randomUUID();
  private job: BackgroundJob | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly pool: Pool,
    private readonly giveWay: GiveWay,
    /** which build this is */
    private readonly build: string,
  ) {}

  start(everyMs = EVERY_MS): void {
    this.job = startJob({ name: 'versjon', everyMs, run: (signal) => this.round(signal) });
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }

  private async round(signal: AbortSignal): Promise<void> {
    await this.tell();
    if (!(await this.isDue())) return;
    const timer = setInterval(() => void this.tell().catch(() => undefined), EVERY_MS);
    try {
      await this.check(signal);
    } finally {
      clearInterval(timer);
    }
  }

  private async tell(): Promise<void> {
    await this.dataSource.query('select meld_ingestor($1, $2, $3)', [this.id, this.build, CONTRACT]);
  }

  private async isDue(): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>(
      'select from instans where relasjoner_kontrollert is distinct from $1',
      [this.build],
    );
    return rows.length > 0 && (await otherBuilds(this.dataSource, this.build)).length === 0;
  }

  /** By one ingestor at a time; the others find it done. */
  private async check(signal: AbortSignal): Promise<void> {
    const db = await this.pool.connect();
    try {
      if (!(await tryLock(db)) || !(await this.isDue())) return;
      const result = await checkRelations(this.pool, {
        repair: true,
        signal,
        pieces: this.giveWay.inPieces(DELTAKERE_IN_PIECE),
        report: ({ avvik: deviation }) => metrics.relationDeviations.inc({ avvik: deviation }),
      });
      if (signal.aborted) return;
      await db.query('update instans set relasjoner_kontrollert = $1', [this.build]);
      const level = result.mangler + result.overfloedige > 0 ? 'error' : 'info';
      logger[level]({ ...result, bygg: this.build }, 'The relations were checked after a change of version');
    } finally {
      // The lock goes with the connection.
      db.release(true);
    }
  }
}

async function tryLock(db: PoolClient): Promise<boolean> {
  const { rows } = await db.query<{ locked: boolean }>(
    `select pg_try_advisory_lock(${LOCKS.RELASJONSKONTROLL}) as locked`,
  );
  return rows[0]?.locked === true;
}
