import type { DeltakerId } from '@tiltak/database';
import { BoundedQueue, currentContext, logger } from '@tiltak/platform';
import type { Pool } from 'pg';
import type { Grant } from '../access/grant.ts';
import { metrics } from '../metrics.ts';
import { unavailable } from './reader.ts';

/** What an answer tells, as the audit keeps it. */
export interface Disclosure {
  /** of an avtale */
  fields: readonly string[];
  /** national idents of those who were asked for; stored as opaque ids */
  persons?: readonly string[];
  /** opaque ids of those who were found */
  deltakerIds?: readonly string[];
  hits: number;
}

/** As the table `oppslag` has it. */
interface AuditRow {
  konsument: string;
  behandlingsgrunnlag: string | null;
  operasjon: string;
  felter: readonly string[];
  personer: string[];
  antall_treff: number | null;
  tillatt: boolean;
  call_id: string;
}

/** Rows in one insert. */
const MAX_GROUP = 500;
/** Look-ups that wait to be audited before new ones are turned away. */
const MAX_WAITING = 5_000;

/**
 * The audit of look-ups. An answer waits until its row is committed; the rows of look-ups that come while one commit is
 * under way share the next, so that throughput does not fall to one commit per request.
 */
export class AuditLog {
  private readonly queue = new BoundedQueue<AuditRow>({
    maxWaiting: MAX_WAITING,
    maxGroup: MAX_GROUP,
    concurrency: 2,
    full: () => unavailable('The audit log can not keep up'),
    handle: (rows) => this.insert(rows),
  });

  constructor(
    private readonly pool: Pool,
    private readonly deltakerId: DeltakerId,
  ) {}

  /** @throws Problem 503 when it can't be written: then nothing may be answered */
  record(
    { konsument, behandlingsgrunnlag, operation }: Grant,
    { fields, persons = [], deltakerIds = [], hits }: Disclosure,
  ): Promise<void> {
    return this.queue.add({
      konsument,
      behandlingsgrunnlag,
      operasjon: operation,
      felter: fields,
      personer: [...new Set([...this.opaque(persons), ...deltakerIds])],
      antall_treff: hits,
      tillatt: true,
      call_id: currentContext()?.callId ?? '',
    });
  }

  /**
   * A look-up that was refused, with the persons it named. Nothing is answered anyway, so a failure is only logged.
   *
   * @param persons national idents
   */
  async recordDenial(
    { konsument, operation }: Pick<Grant, 'konsument' | 'operation'>,
    persons: readonly string[],
  ): Promise<void> {
    const row: AuditRow = {
      konsument,
      behandlingsgrunnlag: null,
      operasjon: operation,
      felter: [],
      personer: this.opaque(persons),
      antall_treff: null,
      tillatt: false,
      call_id: currentContext()?.callId ?? '',
    };
    await this.queue
      .add(row)
      .catch((error: unknown) => logger.error({ err: error }, 'A denied look-up was not audited'));
  }

  private opaque(persons: readonly string[]): string[] {
    return Array.from(new Set(persons), this.deltakerId);
  }

  private async insert(rows: AuditRow[]): Promise<void> {
    try {
      await this.pool.query({ name: 'skriv_oppslag', text: INSERT, values: [JSON.stringify(rows)] });
    } catch (error) {
      metrics.databaseErrors.inc();
      logger.error({ err: error, antall: rows.length }, 'Look-ups could not be audited and are not answered');
      throw unavailable('The look-up could not be audited', error);
    }
  }
}

const INSERT = `
  insert into oppslag (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id)
  select konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id
  from jsonb_to_recordset($1::jsonb) as ny(konsument text, behandlingsgrunnlag text, operasjon text, felter text[],
    personer uuid[], antall_treff int, tillatt boolean, call_id text)`;

/**
 * The national idents of a request that was refused before it was read, wherever in the body they stand; within a text
 * (a GraphQL document, where they are in quotes) too.
 */
export function identsIn(body: unknown): string[] {
  const found = (JSON.stringify(body) ?? '').matchAll(/"(\d{11})\\?"/g);
  return Array.from(found, ([, ident = '']) => ident).slice(0, 1_000);
}
