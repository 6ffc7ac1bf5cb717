import { setTimeout as wait } from 'node:timers/promises';
import { logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../database/transaction.ts';
import { readEpoch } from '../kafka/epochs.queries.ts';
import { isCaughtUp } from '../kafka/positions.queries.ts';
import type { OutgoingMessage, Publisher } from '../kafka/publisher.ts';
import type { TopicDescription } from '../kafka/topic-admin.ts';
import { metrics } from '../metrics.ts';
import { readContract, readLastFullSync } from './contract.queries.ts';
import { lockPublishing, type Syncs } from './sync.ts';
import {
  countPage,
  deleteOldSyncs,
  listUncounted,
  lockSync,
  readSync,
  setSyncState,
  SYNC_STATES,
  type SyncRow,
  type SyncState,
  type UncountedPage,
} from './sync.queries.ts';

const CHUNK = 5_000;
const PAGES_AT_ONCE = 100;
const WAIT_FOR_INGEST_MS = 5_000;

/**
 * Ends syncs: deletes what a full sync did not hold, ends those that get no more pages. All that it goes by lies in the
 * database and on the topic, so it goes on in any ingestor, from wherever another one was ended.
 */
export class SyncCompletion {
  private jobs: BackgroundJob[] = [];
  /** pages to be counted once the stream is there, and where the topic ended when all of them were on it */
  private counting: { pages: UncountedPage[]; end: TopicDescription } | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly publisher: Publisher,
    private readonly syncs: Syncs,
    private readonly maxPercent: number,
  ) {}

  start(): void {
    this.jobs = [
      startJob({ name: 'synkavslutning', everyMs: 500, run: (signal) => this.round(signal) }),
      startJob({ name: 'synktelling', everyMs: 500, run: () => this.countPages() }),
      startJob({ name: 'synkmaaling', everyMs: 15_000, run: () => this.measure() }),
    ];
  }

  async stop(): Promise<void> {
    await Promise.all(this.jobs.map((job) => job.stop()));
  }

  /** One look at all syncs that are not over. */
  async round(signal?: AbortSignal): Promise<void> {
    const { rows } = await this.pool.query<{ synk_id: string; tilstand: string }>(
      `select synk_id, tilstand from synk where tilstand in ('MOTTAR', 'SLETTER') order by startet`,
    );
    for (const { synk_id: syncId, tilstand: state } of rows) {
      if (state === 'MOTTAR') {
        await this.syncs.completeWhenAll(syncId);
        await this.endExpired(syncId);
      }
      while (!signal?.aborted && (await this.deleteSome(syncId, signal)));
    }
  }

  /** Counts what the entries of pages came to, as soon as the stream has stored them. */
  async countPages(): Promise<void> {
    if (!this.counting) {
      const pages = await listUncounted(this.pool, PAGES_AT_ONCE);
      if (pages.length === 0) return;
      this.counting = { pages, end: await this.publisher.describe() };
    }
    const { pages, end } = this.counting;
    if (!(await isCaughtUp(this.pool, this.publisher.topic, end, 'end'))) {
      // It may be that it never will be: a topic can be made anew.
      if ((await this.publisher.describe()).id !== end.id) this.counting = undefined;
      return;
    }
    this.counting = undefined;
    // One that can't be counted is tried again with the next ones, and holds none of them.
    const failures: unknown[] = [];
    for (const page of pages)
      await inTransaction(this.pool, (db) => countPage(db, page)).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  private async endExpired(syncId: string): Promise<void> {
    await inTransaction(this.pool, async (db) => {
      await lockSync(db, syncId);
      const sync = await readSync(db, syncId, this.syncs.deadlines);
      if (sync?.tilstand === 'UTLOEPT' && sync.avsluttet === null) await setSyncState(db, syncId, 'UTLOEPT');
    });
  }

  /**
   * What is stored is compared only when all that is on the topic has been stored, and while no adapter can publish; so a
   * tombstone never comes after a change that was not seen. Should one do so after all – the stream has other writers –
   * the tombstone spares what is newer than the sync (`deleteBefore`), in a replay too.
   *
   * @returns whether there may be more
   */
  private async deleteSome(syncId: string, signal?: AbortSignal): Promise<boolean> {
    // Before anything is locked: it can take as long as there is something to ingest.
    if (!(await this.waitUntilIngested(100, signal))) return false;
    return inTransaction(this.pool, async (db) => {
      await lockPublishing(db);
      await lockSync(db, syncId);
      const sync = await readSync(db, syncId, this.syncs.deadlines);
      if (sync?.tilstand !== 'SLETTER' || !(await this.waitUntilIngested(50))) return false;
      const { id, partitions } = await this.publisher.describe();
      if ((await readEpoch(db, this.publisher.topic, id)) !== sync.epoke) {
        await setSyncState(db, syncId, 'FEILET');
        logger.warn({ synkId: syncId }, 'The topic was made anew during a full sync: what it published is gone');
        return false;
      }
      if (sync.skalSlettes === null && (await this.needsConfirmation(db, sync))) {
        await setSyncState(db, syncId, 'VENTER_PAA_BEKREFTELSE');
        logger.warn({ synkId: syncId }, 'A full sync would delete too much, and waits to be confirmed');
        return false;
      }
      const tombstones = await findMissing(db, sync, partitions.length);
      await this.publisher.publish(tombstones);
      if (tombstones.length === 0) await setSyncState(db, syncId, 'FULLFOERT');
      return tombstones.length > 0;
    });
  }

  private async needsConfirmation(
    db: PoolClient,
    { synkId: syncId, antallTotalt: totalCount, startOffset, epoke: epoch }: SyncRow,
  ): Promise<boolean> {
    const { rows } = await db.query<{ kjente: number; slettes: number }>(
      `select (count(*) filter (where ${KNOWN_BEFORE} or ${WAS_KNOWN_BEFORE}))::int as kjente,
         (count(*) filter (where ${KNOWN_BEFORE} and ${NOT_IN_SYNC}))::int as slettes
       from avtale a where a.slettet is null`,
      [syncId, JSON.stringify(startOffset), epoch],
    );
    const { kjente: known = 0, slettes: deleted = 0 } = rows[0] ?? {};
    await db.query('update synk set kjente = $2, skal_slettes = $3 where synk_id = $1', [syncId, known, deleted]);
    return (totalCount === 0 && deleted > 0) || deleted * 100 > known * this.maxPercent;
  }

  private async waitUntilIngested(everyMs: number, signal?: AbortSignal): Promise<boolean> {
    for (const deadline = Date.now() + WAIT_FOR_INGEST_MS; Date.now() < deadline; await wait(everyMs)) {
      if (signal?.aborted) return false;
      if (await this.isIngested()) return true;
    }
    return false;
  }

  /** Whether all that is on the topic at this moment is stored. */
  async isIngested(): Promise<boolean> {
    return isCaughtUp(this.pool, this.publisher.topic, await this.publisher.describe(), 'end');
  }

  /** Shows syncs and the contract in the metrics, and forgets syncs of long ago. */
  private async measure(): Promise<void> {
    await deleteOldSyncs(this.pool);
    const { rows } = await this.pool.query<{ tilstand: SyncState; antall: number }>(
      `select tilstand, count(*)::int as antall from synk where startet > now() - interval '7 days' group by tilstand`,
    );
    const count = new Map(rows.map((row) => [row.tilstand, row.antall]));
    for (const state of SYNC_STATES) metrics.syncs.set({ tilstand: state }, count.get(state) ?? 0);
    const contract = await readContract(this.pool);
    // Without a contract nothing is late; it may have been released.
    metrics.adapterHeartbeat.set(contract?.secondsSince ?? 0);
    metrics.adapterIntervals.set(contract ? contract.secondsSince / 60 / contract.heartbeatIntervallMinutter : 0);
    metrics.fullSyncOverdue.set((await readLastFullSync(this.pool)).overdue ? 1 : 0);
  }
}

/** Said to be as it was again, by a page of the sync. */
const WAS_KNOWN_BEFORE = `exists (select from avtale_versjon v where v.avtale_id = a.avtale_id
  and (v.kilde_epoke < $3 or v.kilde_epoke = $3 and v.kilde_offset < ($2::jsonb ->> v.kilde_partisjon::text)::bigint))`;

/** Known before the sync began, and not told of since. */
const KNOWN_BEFORE = `(a.kilde_epoke < $3
  or a.kilde_epoke = $3 and a.kilde_offset < ($2::jsonb ->> a.kilde_partisjon::text)::bigint)`;
/** In none of its pages. */
const NOT_IN_SYNC = `not exists (select from synk_avtale s where s.synk_id = $1 and s.avtale_id = a.avtale_id)`;

async function findMissing(
  db: PoolClient,
  { synkId: syncId, startOffset, epoke: epoch }: SyncRow,
  partitionCount: number,
): Promise<OutgoingMessage[]> {
  const { rows } = await db.query<{ avtale_id: string; partisjon: number }>(
    `select avtale_id, kilde_partisjon as partisjon from avtale a where a.slettet is null and ${KNOWN_BEFORE} and ${NOT_IN_SYNC}
     order by avtale_id limit ${String(CHUNK)}`,
    [syncId, JSON.stringify(startOffset), epoch],
  );
  return rows.map(({ avtale_id: avtaleId, partisjon: known }) => {
    // Beside what it deletes: in another partition it would not. What lay on a topic before this one it does from anywhere.
    const partition = known % partitionCount;
    return { avtaleId, value: null, partition, deleteBefore: startOffset[String(partition)] ?? 0 };
  });
}
