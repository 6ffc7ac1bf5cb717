import { publishingLock } from '@tiltak/database';
import { PROBLEMS, Problem } from '@tiltak/platform';
import type { Pool, PoolClient } from 'pg';
import { metrics } from '../metrics.ts';
import { inTransaction } from '../database/transaction.ts';
import { MessageTooLargeError } from '../kafka/publisher.ts';
import {
  lockSyncShared,
  lockSync,
  insertSyncKeys,
  insertPage,
  readSync,
  createSync,
  setSyncState,
  type SyncDeadlines,
  type SyncRow,
  type SyncState,
} from './sync.queries.ts';
import { pushedOf } from './pushed/resources.ts';
import type { Publishers } from './publishers.ts';
import { listedErrors, type SyncPage } from './sync-page.ts';

/** Takes in pages. What is decided lies in the database alone, so that any number of ingestors can do it at once. */
export class Syncs {
  constructor(
    private readonly pool: Pool,
    private readonly publishers: Publishers,
    readonly deadlines: SyncDeadlines,
  ) {}

  /**
   * Publishes the page and remembers it, in this order within one transaction: should the process end in between, the
   * page is published again when it is sent again, which changes nothing.
   *
   * @throws Problem 400, also for an entry that is too large for the topic, then with part of the page published; 409, 503
   */
  async receive(page: SyncPage): Promise<SyncRow> {
    const { name } = page.resource;
    const publisher = this.publishers.of(name);
    const known = await readSync(this.pool, page.synkId, this.deadlines);
    await inTransaction(this.pool, async (db) => {
      await db.query(`set local lock_timeout = '15s'; select pg_advisory_xact_lock_shared(${publishingLock(name)})`);
      if (!known) await createSync(db, page, { name: publisher.topic, describe: () => publisher.describe() });
      await this.accept(db, page);
    });
    metrics.syncPages.inc({ type: page.type, ressurs: name });
    return this.completeWhenAll(page.synkId);
  }

  /** @throws Problem 404 */
  async get(syncId: string): Promise<SyncRow> {
    const sync = await readSync(this.pool, syncId, this.deadlines);
    if (!sync) throw new Problem(PROBLEMS.FINNES_IKKE, 'There is no such sync');
    return sync;
  }

  /** Lets a full sync delete as much as it would. @throws Problem 404, 409 */
  async confirm(syncId: string, client: string): Promise<SyncRow> {
    await inTransaction(this.pool, async (db) => {
      await lockSync(db, syncId);
      const sync = await readSync(db, syncId, this.deadlines);
      if (!sync) throw new Problem(PROBLEMS.FINNES_IKKE, 'There is no such sync');
      // Confirmed already: the answer may have been lost.
      if (sync.bekreftetAv !== null && sync.tilstand !== 'ERSTATTET') return;
      if (sync.tilstand !== 'VENTER_PAA_BEKREFTELSE') throw conflict(sync.tilstand);
      await db.query('update synk set bekreftet_av = $2 where synk_id = $1', [syncId, client]);
      await setSyncState(db, sync, 'SLETTER');
    });
    return this.get(syncId);
  }

  /**
   * Also for a sync whose last pages came in side by side, or whose ingestor ended just after the last one. It is locked
   * only when it has all of them: that waits for pages that are under way, and holds up those that come.
   *
   * @throws Problem 404
   */
  async completeWhenAll(syncId: string): Promise<SyncRow> {
    const seen = await this.get(syncId);
    if (!isToBeCompleted(seen)) return seen;
    await inTransaction(this.pool, async (db) => {
      await lockSync(db, syncId);
      const sync = await readSync(db, syncId, this.deadlines);
      if (sync && isToBeCompleted(sync)) await setSyncState(db, sync, stateAfterLastPage(sync));
    });
    return this.get(syncId);
  }

  private async accept(db: PoolClient, page: SyncPage): Promise<void> {
    await lockSyncShared(db, page.synkId);
    const sync = await readSync(db, page.synkId, this.deadlines);
    if (!sync) throw new Problem(PROBLEMS.KONFLIKT, 'The sync is gone');
    checkSameSync(sync, page);
    const fingerprint = await insertPage(db, page);
    if (fingerprint?.equals(page.fingerprint)) return;
    if (fingerprint) throw new Problem(PROBLEMS.KONFLIKT, 'The page was received before, with other content');
    if (sync.tilstand !== 'MOTTAR') throw conflict(sync.tilstand);
    checkCount(sync, page);
    if (page.type === 'FULL') {
      const keys = page.messages.map(({ key }) => key);
      const elsewhere = await insertSyncKeys(db, pushedOf(sync.ressurs).stored, page.synkId, keys);
      if (elsewhere.length > 0) throw saidTwice(elsewhere);
    }
    await this.publish(page);
  }

  private async publish({ resource, messages }: SyncPage): Promise<void> {
    try {
      await this.publishers.of(resource.name).publish(messages);
    } catch (error) {
      if (!(error instanceof MessageTooLargeError)) throw error;
      const index = messages.findIndex(({ key }) => key === error.key);
      const message = `is larger than the organisation's topic takes: ${String(error.bytes)} bytes`;
      throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The page is not valid; some of it may be published', {
        feil: [{ felt: `ressurser[${String(index)}].ressurs`, melding: message }],
        cause: error,
      });
    }
  }
}

/** Alone with the topic, as far as adapters are concerned; see `LOCKS`. */
export async function lockPublishing(db: PoolClient, resource: string): Promise<void> {
  await db.query(`set local lock_timeout = '15s'; select pg_advisory_xact_lock(${publishingLock(resource)})`);
}

const isToBeCompleted = ({ tilstand, mottatteSider, antallSider }: SyncRow): boolean =>
  tilstand === 'MOTTAR' && mottatteSider >= antallSider;

function stateAfterLastPage(sync: SyncRow): SyncState {
  if (sync.mottatteRessurser !== sync.antallTotalt) return 'FEILET';
  return sync.type === 'FULL' ? 'SLETTER' : 'FULLFOERT';
}

const WHY_NOT: Record<SyncState, string> = {
  MOTTAR: 'The sync does not have all of its pages yet',
  SLETTER: 'The sync has all of its pages',
  VENTER_PAA_BEKREFTELSE: 'The sync has all of its pages',
  FULLFOERT: 'The sync is completed',
  ERSTATTET: 'The sync was replaced by a newer one',
  UTLOEPT: 'The sync has expired; begin a new one',
  FEILET: 'The sync has other entries than antallTotalt said, or its topic was made anew; begin a new one',
};

function conflict(state: SyncState): Problem {
  return new Problem(PROBLEMS.KONFLIKT, WHY_NOT[state], { felter: { tilstand: state } });
}

/** Where one is sent twice another may not be sent at all, and would be deleted, though the number of entries is right. */
function saidTwice(indexes: readonly number[]): Problem {
  const errors = indexes.map((index) => ({
    felt: `ressurser[${String(index)}].id`,
    melding: 'is in another page of this sync too',
  }));
  const detail = 'Another page of the sync has some of its ids; nothing of it is published';
  return new Problem(PROBLEMS.KONFLIKT, detail, listedErrors(errors));
}

/** What the pages of a sync have in common. */
function checkSameSync(sync: SyncRow, page: SyncPage): void {
  if (sync.ressurs !== page.resource.name) {
    throw new Problem(PROBLEMS.KONFLIKT, 'The synkId belongs to a sync of another resource');
  }
  if (sync.type !== page.type) throw new Problem(PROBLEMS.KONFLIKT, 'The synkId belongs to a sync of another type');
  const errors = (['antallSider', 'antallTotalt'] as const)
    .filter((field) => sync[field] !== page[field])
    .map((field) => ({ felt: `metadata.${field}`, melding: 'differs from that of the pages before' }));
  if (errors.length > 0) throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The page is not valid', { feil: errors });
}

function checkCount(sync: SyncRow, page: SyncPage): void {
  const count = sync.mottatteRessurser + page.messages.length;
  const isLast = sync.mottatteSider + 1 === sync.antallSider;
  if (count > sync.antallTotalt || (isLast && count < sync.antallTotalt)) {
    throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The page is not valid', {
      feil: [{ felt: 'metadata.antallTotalt', melding: 'is not the number of entries of all pages' }],
    });
  }
}
