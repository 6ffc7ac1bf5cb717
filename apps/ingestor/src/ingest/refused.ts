import type { ParkingReason } from '@tiltak/avtale';
import { DatabaseError } from 'pg';
import { metrics } from '../metrics.ts';

/**
 * The reason to park, when the error says that the database refuses the data itself; undefined for all that may pass
 * by waiting (connection, locks, disk, shutdown) or by mending the set-up (rights, missing table): then nothing is
 * parked, and the batch waits.
 */
export function refusedReason(error: unknown): ParkingReason | undefined {
  if (!(error instanceof DatabaseError) || !error.code) return undefined;
  // Another transaction inserted the same avtale first: read again. And a relation is never a message's fault.
  if (error.code === '23505' && (error.constraint === 'avtale_pkey' || error.constraint === 'relasjon_pkey'))
    return undefined;
  // 22 data exception, 23 integrity constraint violation, P0001 raised by a trigger.
  if (!/^(22|23|P0001)/.test(error.code)) return undefined;
  const place = error.constraint ?? error.column;
  return {
    code: 'AVVIST_AV_DATABASEN',
    field: error.column ?? null,
    // Never the message: it quotes the value.
    reason: `the database refuses the row: SQLSTATE ${error.code}${place ? `, ${place}` : ''}`,
  };
}

/** More of one batch than this, refused for one cause, is a fault of ours: a wrong constraint, a column too short. */
const MAX_REFUSED_PER_BATCH = 20;

/** The database refuses so many messages of a batch that it can't be their fault: nothing is parked. */
export class SystematicRefusalError extends Error {}

/** Counts what the database refuses of one batch, by SQLSTATE. */
export class RefusalCounter {
  private readonly counts = new Map<string, number>();

  /** @throws SystematicRefusalError */
  count(error: unknown): void {
    const code = error instanceof DatabaseError && error.code ? error.code : '';
    const refused = (this.counts.get(code) ?? 0) + 1;
    this.counts.set(code, refused);
    if (refused <= MAX_REFUSED_PER_BATCH) return;
    metrics.systematicallyRefused.inc({ sqlstate: code });
    throw new SystematicRefusalError(
      `the database refuses more than ${String(MAX_REFUSED_PER_BATCH)} messages of one batch with SQLSTATE ${code}: ` +
        'the schema or its constraints are wrong, not the messages',
    );
  }
}
