import { setTimeout as wait } from 'node:timers/promises';
import { logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../database/transaction.ts';
import { readEpoch } from '../kafka/epochs.queries.ts';
import { isCaughtUp } from '../kafka/positions.queries.ts';
import type { OutgoingMessage } from '../kafka/publisher.ts';
import type { TopicDescription } from '../kafka/topic-admin.ts';
import { metrics } from '../metrics.ts';
import { readContract, readLastFullSyncs } from './contract.queries.ts';
import type { Publishers } from './publishers.ts';
import type { StoredNames } from './pushed/pushed.ts';
import { pushedOf, RESOURCES } from './pushed/resources.ts';
import { lockPublishing, type Syncs } from './sync.ts';
import {
  countPage,
  deleteOldSyncs,
  listUncounted,
  lockSync,
  readSync,
  STATE,
  setSyncState,
  SYNC_STATES,
  type SyncRow,
  type SyncState,
  type UncountedPage,
} from './sync.queries.ts';

const CHUNK = 5_000;

/** How far a full sync has deleted, in the order of keys; nothing: from the first. */
interface Deleted {
  after?: string | undefined;
}

const PAGES_AT_ONCE = 100;
const WAIT_FOR_INGEST_MS = 5_000;

/**
 * Ends syncs: deletes what a full sync did not hold, ends those that get no more pages. All that it goes by lies in the
 * database and on the topic, so it goes on in any ingestor, from wherever another one was ended.
 */
export class SyncCompletion {
  private jobs: BackgroundJob[] = [];
  /** of a resource: pages to be counted once the stream is there, and where the topic ended when all of them were on it */
  private readonly counting = new Map<string, { pages: UncountedPage[]; end: TopicDescription }>();

  constructor(
    private readonly pool: Pool,
    private readonly publishers: Publishers,
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
    const { rows } = await this.pool.query<{ synk_id: string; ressurs: string; tilstand: string }>(
      `select synk_id, ressurs, ${STATE} as tilstand from synk s
       where ${STATE} in ('MOTTAR', 'SLETTER') and ressurs = any($1) order by startet`,
      [this.publishers.resources],
    );
    for (const { synk_id: syncId, ressurs: resource, tilstand: state } of rows) {
      if (state === 'MOTTAR') await this.endExpired(await this.syncs.completeWhenAll(syncId));
      for (let next: Deleted | undefined = {}; next && !signal?.aborted;) {
        next = await this.deleteSome({ syncId, resource, ...next }, signal);
      }
    }
  }

  /** Counts what the entries of pages came to, as soon as the stream has stored them. */
  async countPages(): Promise<void> {
    const failures: unknown[] = [];
    for (const resource of this.publishers.resources) {
      await this.countPagesOf(resource).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  private async countPagesOf(resource: string): Promise<void> {
    const publisher = this.publishers.of(resource);
    let counting = this.counting.get(resource);
    if (!counting) {
      const pages = await listUncounted(this.pool, pushedOf(resource), PAGES_AT_ONCE);
      if (pages.length === 0) return;
      counting = { pages, end: await publisher.describe() };
      this.counting.set(resource, counting);
    }
    const { pages, end } = counting;
    if (!(await isCaughtUp(this.pool, publisher.topic, end, 'end'))) {
      // It may be that it never will be: a topic can be made anew.
      if ((await publisher.describe()).id !== end.id) this.counting.delete(resource);
      return;
    }
    this.counting.delete(resource);
    // One that can't be counted is tried again with the next ones, and holds none of them.
    const failures: unknown[] = [];
    for (const page of pages)
      await inTransaction(this.pool, (db) => countPage(db, page)).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  /** Locked only when it has: see `completeWhenAll`. */
  private async endExpired(seen: SyncRow): Promise<void> {
    if (!hasExpired(seen)) return;
    const { synkId: syncId } = seen;
    await inTransaction(this.pool, async (db) => {
      await lockSync(db, syncId);
      const sync = await readSync(db, syncId, this.syncs.deadlines);
      if (sync && hasExpired(sync)) await setSyncState(db, sync, 'UTLOEPT');
    });
  }

  /**
   * What is stored is compared only when all that is on the topic has been stored, and while no adapter can publish; so a
   * tombstone never comes after a change that was not seen. Should one do so after all – the stream has other writers –
   * the tombstone spares what is newer than the sync (`deleteBefore`), in a replay too.
   *
   * @returns undefined: there is no more
   */
  private async deleteSome(
    { syncId, resource, after }: Deleted & { syncId: string; resource: string },
    signal?: AbortSignal,
  ): Promise<Deleted | undefined> {
    const publisher = this.publishers.of(resource);
    // Before anything is locked: it can take as long as there is something to ingest.
    if (!(await this.waitUntilIngested(this.pool, resource, 100, signal))) return undefined;
    return inTransaction(this.pool, async (db) => {
      await lockPublishing(db, resource);
      await lockSync(db, syncId);
      const sync = await readSync(db, syncId, this.syncs.deadlines);
      if (sync?.tilstand !== 'SLETTER' || !(await this.waitUntilIngested(db, resource, 50))) return undefined;
      const { id, partitions } = await publisher.describe();
      if ((await readEpoch(db, publisher.topic, id)) !== sync.epoke) {
        await setSyncState(db, sync, 'FEILET');
        logger.warn({ synkId: syncId }, 'The topic was made anew during a full sync: what it published is gone');
        return undefined;
      }
      if (sync.skalSlettes === null && (await this.needsConfirmation(db, sync))) {
        await setSyncState(db, sync, 'VENTER_PAA_BEKREFTELSE');
        logger.warn({ synkId: syncId }, 'A full sync would delete too much, and waits to be confirmed');
        return undefined;
      }
      const tombstones = await findMissing(db, sync, { partitionCount: partitions.length, after });
      await publisher.publish(tombstones);
      if (tombstones.length === CHUNK) return { after: tombstones.at(-1)?.key };
      // Over all of them once more, before it is called completed.
      if (tombstones.length > 0 || after !== undefined) return {};
      await setSyncState(db, sync, 'FULLFOERT');
      return undefined;
    });
  }

  private async needsConfirmation(
    db: PoolClient,
    { synkId: syncId, ressurs: resource, antallTotalt: totalCount, startOffset, epoke: epoch }: SyncRow,
  ): Promise<boolean> {
    const { stored } = pushedOf(resource);
    const { rows } = await db.query<{ kjente: number; slettes: number }>(
      `select (count(*) filter (where ${KNOWN_BEFORE} or ${wasKnownBefore(stored)}))::int as kjente,
         (count(*) filter (where ${KNOWN_BEFORE} and ${notInSync(stored)}))::int as slettes
       from ${stored.current} a where a.slettet is null`,
      [syncId, JSON.stringify(startOffset), epoch],
    );
    const { kjente: known = 0, slettes: deleted = 0 } = rows[0] ?? {};
    await db.query('update synk set kjente = $2, skal_slettes = $3 where synk_id = $1', [syncId, known, deleted]);
    return (totalCount === 0 && deleted > 0) || deleted * 100 > known * this.maxPercent;
  }

  /** @param db the transaction, where there is one: the pages that wait for it may have all the other connections */
  private async waitUntilIngested(
    db: Pool | PoolClient,
    resource: string,
    everyMs: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    for (const deadline = Date.now() + WAIT_FOR_INGEST_MS; Date.now() < deadline; await wait(everyMs)) {
      if (signal?.aborted) return false;
      if (await this.isIngested(resource, db)) return true;
    }
    return false;
  }

  /** Whether all that is on the topic of a resource at this moment is stored. */
  async isIngested(resource: string, db: Pool | PoolClient = this.pool): Promise<boolean> {
    const publisher = this.publishers.of(resource);
    return isCaughtUp(db, publisher.topic, await publisher.describe(), 'end');
  }

  /** Shows syncs and the contract in the metrics, and forgets syncs of long ago. */
  private async measure(): Promise<void> {
    await deleteOldSyncs(this.pool);
    const { rows } = await this.pool.query<{ ressurs: string; tilstand: SyncState; antall: number }>(
      `select ressurs, ${STATE} as tilstand, count(*)::int as antall from synk s
       where startet > now() - interval '7 days' group by 1, 2`,
    );
    const count = new Map(rows.map((row) => [`${row.ressurs} ${row.tilstand}`, row.antall]));
    for (const resource of RESOURCES) {
      for (const state of SYNC_STATES) {
        metrics.syncs.set({ ressurs: resource, tilstand: state }, count.get(`${resource} ${state}`) ?? 0);
      }
    }
    const contract = await readContract(this.pool);
    // Without a contract nothing is late; it may have been released.
    metrics.adapterHeartbeat.set(contract?.secondsSince ?? 0);
    metrics.adapterIntervals.set(contract ? contract.secondsSince / 60 / contract.heartbeatIntervallMinutter : 0);
    const lastFull = await readLastFullSyncs(this.pool);
    for (const resource of RESOURCES) {
      metrics.fullSyncOverdue.set({ ressurs: resource }, isOverdue(lastFull, resource) ? 1 : 0);
    }
  }
}

const hasExpired = ({ tilstand, avsluttet }: SyncRow): boolean => tilstand === 'UTLOEPT' && avsluttet === null;

/** Said to be as it was again, by a page of the sync. */
const wasKnownBefore = ({
  versions,
  key,
}: StoredNames): string => `exists (select from ${versions} v where v.${key} = a.${key}
  and (v.kilde_epoke < $3 or v.kilde_epoke = $3 and v.kilde_offset < ($2::jsonb ->> v.kilde_partisjon::text)::bigint))`;

/** Known before the sync began, and not told of since. */
const KNOWN_BEFORE = `(a.kilde_epoke < $3
  or a.kilde_epoke = $3 and a.kilde_offset < ($2::jsonb ->> a.kilde_partisjon::text)::bigint)`;
/** In none of its pages. */
const notInSync = ({ synced, key }: StoredNames, more = ''): string =>
  `not exists (select from ${synced.table} s where s.synk_id = $1 and s.${synced.key} = a.${key}::${synced.type} ${more})`;

async function findMissing(
  db: PoolClient,
  { synkId: syncId, ressurs: resource, startOffset, epoke: epoch }: SyncRow,
  { partitionCount, after }: Deleted & { partitionCount: number },
): Promise<OutgoingMessage[]> {
  const { stored } = pushedOf(resource);
  const { key, synced } = stored;
  // Of both sides: else all before it are read again for each chunk.
  const from =
    after === undefined ? { here: '', there: '' } : { here: `and a.${key} > $4`, there: `and s.${synced.key} > $4` };
  const { rows } = await db.query<{ noekkel: string; partisjon: number }>(
    `select ${key} as noekkel, kilde_partisjon as partisjon from ${stored.current} a
     where a.slettet is null and ${KNOWN_BEFORE} and ${notInSync(stored, from.there)} ${from.here}
     order by ${key} limit ${String(CHUNK)}`,
    [syncId, JSON.stringify(startOffset), epoch, ...(after === undefined ? [] : [after])],
  );
  return rows.map(({ noekkel: key, partisjon: known }) => {
    // Beside what it deletes: in another partition it would not. What lay on a topic before this one it does from anywhere.
    const partition = known % partitionCount;
    return { key, value: null, partition, deleteBefore: startOffset[String(partition)] ?? 0 };
  });
}

const isOverdue = (syncs: readonly { ressurs: string; forfalt: boolean }[], resource: string): boolean =>
  syncs.some(({ ressurs, forfalt }) => ressurs === resource && forfalt);
