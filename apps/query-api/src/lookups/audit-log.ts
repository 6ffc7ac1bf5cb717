import type { DeltakerId } from '@tiltak/database';
import { currentContext, logger } from '@tiltak/platform';
import type { Pool } from 'pg';
import { unavailable } from './reader.ts';
import { metrics } from '../metrics.ts';
import type { Grant } from '../access/access.guard.ts';

interface AuditRow {
  konsument: string;
  behandlingsgrunnlag: string | null;
  operation: string;
  fields: readonly string[];
  /** opaque ids */
  personer: string[];
  antall_treff: number | null;
  allowed: boolean;
  call_id: string;
}

interface Pending {
  lookup: AuditRow;
  done: () => void;
  failed: (error: unknown) => void;
}

/** Rows in one insert. */
const MAX_BATCH = 500;
/** Look-ups waiting to be written before new ones are turned away. */
const MAX_QUEUE = 5_000;

/**
 * The audit of look-ups. An answer waits until its row is committed; the rows of look-ups that come while one commit is
 * under way share the next, so that throughput does not fall to one commit per request.
 */
export class AuditLog {
  private queue: Pending[] = [];
  private writers = 0;

  constructor(
    private readonly pool: Pool,
    private readonly deltakerId: DeltakerId,
  ) {}

  /**
   * @param personidenter who was asked for, and who was found
   * @param deltakerIder who was found, where no ident was read
   * @throws Problem 503 when it can't be written: then nothing may be answered
   */
  record(
    access: Grant,
    fields: readonly string[],
    personidenter: Iterable<string>,
    hitCount: number,
    deltakerIder: Iterable<string> = [],
  ): Promise<void> {
    return this.enqueue({
      konsument: access.konsument,
      behandlingsgrunnlag: access.behandlingsgrunnlag,
      operation: access.operation,
      fields,
      personer: [...new Set([...Array.from(new Set(personidenter), this.deltakerId), ...deltakerIder])],
      antall_treff: hitCount,
      allowed: true,
      call_id: currentContext()?.callId ?? '',
    });
  }

  /** A look-up that was denied, with the persons it named. Nothing is answered anyway, so a failure is only logged. */
  async recordDenial(konsument: string, operation: string, body: unknown): Promise<void> {
    const lookup: AuditRow = {
      konsument,
      behandlingsgrunnlag: null,
      operation,
      fields: [],
      personer: Array.from(new Set(identsIn(body)), this.deltakerId),
      antall_treff: null,
      allowed: false,
      call_id: currentContext()?.callId ?? '',
    };
    await this.enqueue(lookup).catch((error: unknown) =>
      logger.error({ err: error }, 'A denied look-up was not audited'),
    );
  }

  private enqueue(lookup: AuditRow): Promise<void> {
    if (this.queue.length >= MAX_QUEUE) return Promise.reject(unavailable('The audit log can not keep up'));
    return new Promise((done, failed) => {
      this.queue.push({ lookup, done, failed });
      void this.flush();
    });
  }

  private async flush(): Promise<void> {
    // Two at a time: while one waits for the disk the next is gathered.
    if (this.writers >= 2) return;
    this.writers++;
    while (this.queue.length > 0) {
      const group = this.queue.splice(0, MAX_BATCH);
      try {
        await this.pool.query({
          name: 'skriv_oppslag',
          text: INSERT,
          values: [JSON.stringify(group.map((v) => v.lookup))],
        });
        for (const { done } of group) done();
      } catch (error) {
        metrics.databaseError.inc();
        logger.error({ err: error, antall: group.length }, 'Look-ups could not be audited and are not answered');
        const problem = unavailable('The look-up could not be audited', error);
        for (const { failed } of group) failed(problem);
      }
    }
    this.writers--;
  }
}

const INSERT = `
  insert into oppslag (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id)
  select konsument, behandlingsgrunnlag, operation, fields, personer, antall_treff, allowed, call_id
  from jsonb_to_recordset($1::jsonb) as ny(konsument text, behandlingsgrunnlag text, operation text, fields text[],
    personer uuid[], antall_treff int, allowed boolean, call_id text)`;

/** Wherever in the body they stand, within a text (a GraphQL document, where they are in quotes) too. */
function identsIn(body: unknown): string[] {
  const found = (JSON.stringify(body) ?? '').matchAll(/"(\d{11})\\?"/g);
  return Array.from(found, ([, ident = '']) => ident).slice(0, 1_000);
}
