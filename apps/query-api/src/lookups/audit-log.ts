import type { DeltakerId } from '@tiltak/database';
import { BoundedQueue, currentContext, logger } from '@tiltak/platform';
import type { Pool } from 'pg';
import type { Grant } from '../access/grant.ts';
import { metrics } from '../metrics.ts';
import { AuditForms } from './audit-forms.ts';
import { insertRows, type AuditRow } from './audit-row.ts';
import { unavailable } from './reader.ts';

/** What an answer tells, as the audit keeps it. */
export interface Disclosure {
  /** of an avtale: answered with, or searched by */
  fields: readonly string[];
  /** national idents of those who were asked for; stored as opaque ids */
  persons?: readonly string[];
  /** opaque ids of those who were asked for by them, or found */
  deltakerIds?: readonly string[];
  hits: number;
  /** the part of all avtaler that was told of, without persons; `alle`: all of them */
  subset?: Record<string, unknown>;
  /** place in the change feed of what was read, so that it can be made out later who was in it */
  position?: string;
}

/** Rows in one insert. */
const MAX_GROUP = 500;
/** Look-ups that wait to be audited before new ones are turned away. */
const MAX_WAITING = 5_000;

/** After that only another attempt can tell. */
const REMEMBERED_MS = 5_000;

/** A standby is read-only too. */
const WRITABLE = `
  select has_any_column_privilege('oppslagslinje', 'insert') and not current_setting('transaction_read_only')::boolean as writable`;

/**
 * The audit of look-ups that are answered; refusals have a log of their own. An answer waits until its row is committed;
 * the rows of look-ups that come while one commit is under way share the next, so that throughput does not fall to one
 * commit per request.
 */
export class AuditLog {
  private readonly queue = new BoundedQueue<AuditRow>({
    maxWaiting: MAX_WAITING,
    maxGroup: MAX_GROUP,
    concurrency: 2,
    full: () => unavailable('The audit log can not keep up'),
    handle: (rows) => this.insert(rows),
  });

  private readonly forms: AuditForms;
  private failedAt = -Infinity;

  constructor(
    private readonly pool: Pool,
    private readonly deltakerId: DeltakerId,
  ) {
    this.forms = new AuditForms(pool);
  }

  async record(grant: Grant, disclosure: Disclosure, deltakerId?: DeltakerId): Promise<void> {
    await this.queue.add(await this.rowOf(grant, disclosure, deltakerId));
  }

  /** What `record` writes. */
  async rowOf(
    { konsument, behandlingsgrunnlag, organisasjoner, operation }: Grant,
    { fields, persons = [], deltakerIds = [], hits, subset, position }: Disclosure,
    deltakerId = this.deltakerId,
  ): Promise<AuditRow> {
    const form = { konsument, behandlingsgrunnlag, operasjon: operation, felter: fields };
    return {
      ...form,
      form: await this.forms.numberOf(form),
      personer: [...new Set([...Array.from(new Set(persons), deltakerId), ...deltakerIds])],
      antall_treff: hits,
      tillatt: true,
      call_id: currentContext()?.callId ?? '',
      posisjon: position,
      utvalg: subset,
      organisasjoner,
    };
  }

  /** Whether a look-up could be answered, as far as one can tell without one. */
  async isWritable(): Promise<boolean> {
    if (performance.now() - this.failedAt < REMEMBERED_MS) return false;
    const { rows } = await this.pool.query<{ writable: boolean }>(WRITABLE);
    return rows[0]?.writable === true;
  }

  private async insert(rows: AuditRow[]): Promise<void> {
    try {
      await insertRows(this.pool, rows);
      this.failedAt = -Infinity;
    } catch (error) {
      this.failedAt = performance.now();
      metrics.databaseErrors.inc();
      logger.error({ err: error, antall: rows.length }, 'Look-ups could not be audited and are not answered');
      throw unavailable('The look-up could not be audited', error);
    }
  }
}
