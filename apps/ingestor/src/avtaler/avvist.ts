import type { Parkeringsgrunn } from '@tiltak/avtale';
import { DatabaseError } from 'pg';

/**
 * The reason to park, when the error says that the database refuses the data itself; undefined for all that may pass
 * by waiting (connection, locks, disk, shutdown) or by mending the set-up (rights, missing table): then nothing is
 * parked, and the batch waits.
 */
export function avvistAvDatabasen(feil: unknown): Parkeringsgrunn | undefined {
  if (!(feil instanceof DatabaseError) || !feil.code) return undefined;
  // Another transaction inserted the same avtale first: read again. And a relation is never a message's fault.
  if (feil.code === '23505' && (feil.constraint === 'avtale_pkey' || feil.constraint === 'relasjon_pkey'))
    return undefined;
  // 22 data exception, 23 integrity constraint violation, P0001 raised by a trigger.
  if (!/^(22|23|P0001)/.test(feil.code)) return undefined;
  const sted = feil.constraint ?? feil.column;
  return {
    kode: 'AVVIST_AV_DATABASEN',
    felt: feil.column ?? null,
    // Never the message: it quotes the value.
    aarsak: `the database refuses the row: SQLSTATE ${feil.code}${sted ? `, ${sted}` : ''}`,
  };
}
