import { setTimeout as wait } from 'node:timers/promises';
import { isTransient, type DeltakerId } from '@tiltak/database';
import { BoundedQueue, currentContext, logger, startJob, within, type BackgroundJob } from '@tiltak/platform';
import type { Pool } from 'pg';
import type { Grant } from '../access/grant.ts';
import { metrics } from '../metrics.ts';
import { insertRows, type AuditRow } from './audit-row.ts';

/** Who was refused what, as far as it was known by then. */
export interface Denied extends Pick<Grant, 'konsument' | 'organisasjoner'> {
  /** an operation; what no route is has none */
  operation: string;
  behandlingsgrunnlag?: string | undefined;
}

/** Whom a refused request named. */
export interface Named {
  /** national idents; stored as opaque ids */
  persons?: readonly string[];
  /** opaque ids */
  deltakerIds?: readonly string[];
}

/** Rows in one insert. */
const MAX_GROUP = 200;
/** Refusals that wait to be written, and the persons in them; what comes beside these is only counted. */
const MAX_WAITING = 2_000;
const MAX_PERSONS_WAITING = 200_000;
/** While the database is away, they wait. */
const RETRY_MS = 500;
/** After which a process that stops gives up what it could not write. */
const MAX_DRAIN_MS = 5_000;
/** As long as the next attempt is away, which then gives up. */
const MAX_GIVE_UP_MS = 2 * RETRY_MS;

/**
 * The audit of look-ups that were refused. Nothing was told, so nobody waits for it: the row is written just after the
 * answer, in a queue and on a connection of its own. However many refusals there are, and however slow the audit is,
 * those who may look up are not kept waiting by those who may not.
 *
 * What says nothing of a look-up (a bad token, a quota that is used up) is counted by the minute.
 */
export class DenialLog {
  private readonly queue: BoundedQueue<AuditRow>;
  private readonly writing = new Set<Promise<void>>();
  private readonly counts = new Map<string, AuditRow & { antall_kall: number }>();
  private personsWaiting = 0;
  private stopped = false;

  constructor(
    /** of its own */
    private readonly pool: Pool,
    private readonly deltakerId: DeltakerId,
    private readonly maxWaiting = MAX_WAITING,
  ) {
    this.queue = new BoundedQueue<AuditRow>({
      maxWaiting,
      maxGroup: MAX_GROUP,
      concurrency: 1,
      full: () => new Error('Too many refusals wait to be audited'),
      handle: (rows) => this.insert(rows),
    });
  }

  /** A refusal, with the persons that it named. Returns at once. */
  record(denied: Denied, { persons = [], deltakerIds = [] }: Named, reason = 'ikke-tilgang'): void {
    const uniquePersons = new Set(persons);
    if (this.personsWaiting + uniquePersons.size > MAX_PERSONS_WAITING) return this.lose(1);
    const ids = [...new Set([...Array.from(uniquePersons, this.deltakerId), ...deltakerIds])];
    this.add({ ...denialRow(denied, reason), personer: ids, call_id: currentContext()?.callId ?? '' });
  }

  /** One more of those that are counted by the minute. */
  count(denied: Denied, reason: string): void {
    const row = denialRow(denied, reason);
    const key = [row.konsument, row.operasjon, reason].join(' ');
    const counted = this.counts.get(key) ?? { ...row, antall_kall: 0 };
    counted.antall_kall++;
    this.counts.set(key, counted);
  }

  /** Writes what was counted, each minute. */
  start(everyMs = 60_000): BackgroundJob {
    return startJob({ name: 'avslag', everyMs, run: () => Promise.resolve(this.writeCounts()) });
  }

  writeCounts(): void {
    const rows = [...this.counts.values()];
    this.counts.clear();
    for (const row of rows) this.add(row);
  }

  /**
   * Writes what there is, for as long as that is worth waiting for. What is left then is lost, and counted: also what a
   * database that says nothing may still be writing.
   */
  async stop(maxMs = MAX_DRAIN_MS): Promise<void> {
    this.writeCounts();
    await within(maxMs, Promise.all(this.writing));
    this.stopped = true;
    await within(MAX_GIVE_UP_MS, Promise.all(this.writing));
    if (this.writing.size > 0) logger.error({ antall: this.writing.size }, 'Refusals were not audited before the stop');
  }

  private add(row: AuditRow): void {
    // Not logged: there may be very many.
    if (this.writing.size >= this.maxWaiting) return this.lose(row.antall_kall ?? 1);
    this.personsWaiting += row.personer.length;
    metrics.denialsWaiting.inc();
    const write = this.queue
      .add(row)
      .catch((error: unknown) => {
        logger.error({ err: error }, 'A refusal was not audited');
        this.lose(row.antall_kall ?? 1);
      })
      .finally(() => {
        this.personsWaiting -= row.personer.length;
        this.writing.delete(write);
        metrics.denialsWaiting.dec();
      });
    this.writing.add(write);
  }

  private async insert(rows: AuditRow[]): Promise<void> {
    for (;;) {
      try {
        await insertRows(this.pool, rows);
        return;
      } catch (error) {
        if (this.stopped || !isTransient(error)) throw error;
        await wait(RETRY_MS);
      }
    }
  }

  private lose(count: number): void {
    metrics.denialsLost.inc(count);
  }
}

function denialRow(denied: Denied, reason: string): AuditRow {
  const { konsument, organisasjoner, behandlingsgrunnlag, operation } = denied;
  return {
    konsument,
    organisasjoner,
    behandlingsgrunnlag: behandlingsgrunnlag ?? null,
    operasjon: operation,
    felter: [],
    personer: [],
    antall_treff: null,
    tillatt: false,
    call_id: '',
    avslag: reason,
  };
}

/** Persons that a refused request can name: more than any valid one does. */
const MAX_NAMED = 5_000;

/**
 * The national idents of a body that the handler never saw, wherever they stand; within a text (a GraphQL document, where
 * they are in quotes) too.
 */
export function identsIn(body: unknown): string[] {
  const found = (JSON.stringify(body) ?? '').matchAll(/"(\d{11})\\?"/g);
  return [...new Set(Array.from(found, ([, ident = '']) => ident))].slice(0, MAX_NAMED);
}
