import type { Parkeringsgrunn } from '@tiltak/avtale';
import { DatabaseError } from 'pg';
import { metrikker } from '../metrikker.ts';

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

/** More of one batch than this, refused for one cause, is a fault of ours: a wrong constraint, a column too short. */
const MAKS_AVVIST_AV_EN_BATCH = 20;

/** The database refuses so many messages of a batch that it can't be their fault: nothing is parked. */
export class SystematiskAvvisning extends Error {}

/** Counts what the database refuses of one batch, by SQLSTATE. */
export class Avvisninger {
  private readonly antall = new Map<string, number>();

  /** @throws SystematiskAvvisning */
  tell(feil: unknown): void {
    const kode = feil instanceof DatabaseError && feil.code ? feil.code : '';
    const naa = (this.antall.get(kode) ?? 0) + 1;
    this.antall.set(kode, naa);
    if (naa <= MAKS_AVVIST_AV_EN_BATCH) return;
    metrikker.systematiskAvvist.inc({ sqlstate: kode });
    throw new SystematiskAvvisning(
      `the database refuses more than ${String(MAKS_AVVIST_AV_EN_BATCH)} messages of one batch with SQLSTATE ${kode}: ` +
        'the schema or its constraints are wrong, not the messages',
    );
  }
}
