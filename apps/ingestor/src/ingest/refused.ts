import type { ParkingReason } from '@tiltak/avtale';
import { DatabaseError } from 'pg';
import { metrics } from '../metrics.ts';
import { wasAnotherFirst } from './try-again.ts';

/** Said of the data itself: 22 data exception, 23 integrity constraint, 54 too long or too much, P0001 raised by a trigger. */
const OF_THE_DATA = /^(22|23|54|P0001)/;
/**
 * Passes by waiting, whatever is written: connection, transaction (also read-only), rights to log in, locks and deadlocks,
 * memory and disk, shutdown and time-outs, the disk itself.
 */
const PASSING = /^(08|25|28|3D|40|53|55|57|58|F0)/;

/**
 * The reason to park, when the error says that the database refuses the data itself; undefined for all that may pass
 * by waiting or by mending the set-up: then nothing is parked, and the batch waits. See `Failures` for what is answered
 * again and again.
 */
export function refusedReason(error: unknown): ParkingReason | undefined {
  const code = sqlStateOf(error);
  return code !== undefined && OF_THE_DATA.test(code) ? reasonOf(error as DatabaseError) : undefined;
}

function reasonOf({ code = '', constraint, column }: DatabaseError): ParkingReason {
  const place = constraint ?? column;
  return {
    code: 'AVVIST_AV_DATABASEN',
    field: column ?? null,
    // Never the message: it quotes the value.
    reason: `the database refuses the row: SQLSTATE ${code}${place ? `, ${place}` : ''}`,
  };
}

/** Undefined when the error is not an answer of the database to what was written. */
function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof DatabaseError) || !error.code) return undefined;
  return wasAnotherFirst(error) ? undefined : error.code;
}

/** Attempts with one SQLSTATE, after which it is no longer taken for something that passes. */
const MAX_ATTEMPTS = 6;

/** What the database answers to the writes of each partition, one after the other. */
export class Failures {
  private readonly ofPartition = new Map<string, { code: string; count: number }>();

  /** One more; without a SQLSTATE it says nothing of what was written. */
  add(partition: string, error: unknown): void {
    const code = sqlStateOf(error);
    if (code === undefined) return;
    const known = this.ofPartition.get(partition);
    this.ofPartition.set(partition, { code, count: known?.code === code ? known.count + 1 : 1 });
  }

  clear(partition: string): void {
    this.ofPartition.delete(partition);
  }

  /** The SQLSTATE that has been answered time after time. */
  repeated(partition: string): string | undefined {
    const known = this.ofPartition.get(partition);
    return known && known.count >= MAX_ATTEMPTS ? known.code : undefined;
  }
}

/** More of one batch than this, refused for one cause, is a fault of ours: a wrong constraint, a column too short. */
const MAX_REFUSED_PER_BATCH = 20;

/** The database refuses so many messages of a batch, or so ordinary ones, that it can't be their fault: nothing is parked. */
export class SystematicRefusalError extends Error {}

/**
 * What the database refuses of one batch: by what it says, or, with a SQLSTATE that it has answered time after time, by
 * what it does. Counted by SQLSTATE.
 */
export class Refusals {
  private readonly counts = new Map<string, number>();
  private ordinaryFailure: Promise<unknown> | undefined;

  /**
   * @param tryOrdinary writes what nobody could refuse, undoes it, and answers with the error that it met
   * @param repeated the SQLSTATE that was answered to the whole time after time
   */
  constructor(
    private readonly tryOrdinary: () => Promise<unknown>,
    readonly repeated?: string,
  ) {}

  /** Whether it may be one message's fault, so that it pays to look for that one. */
  reasonFor(error: unknown): ParkingReason | undefined {
    const code = sqlStateOf(error);
    if (code === undefined) return undefined;
    const isRepeated = code === this.repeated && !PASSING.test(code);
    return isRepeated ? reasonOf(error as DatabaseError) : refusedReason(error);
  }

  /**
   * One message, by itself, was refused with this error, and is to be parked.
   *
   * @throws SystematicRefusalError when it is not its fault
   */
  async add(error: unknown): Promise<void> {
    const code = sqlStateOf(error) ?? '';
    this.ordinaryFailure ??= this.tryOrdinary();
    if ((await this.ordinaryFailure) !== undefined) throw systematic(code, 'also what is as ordinary as can be');
    const refused = (this.counts.get(code) ?? 0) + 1;
    this.counts.set(code, refused);
    if (refused > MAX_REFUSED_PER_BATCH) {
      throw systematic(code, `more than ${String(MAX_REFUSED_PER_BATCH)} messages of one batch`);
    }
  }
}

function systematic(code: string, what: string): SystematicRefusalError {
  return new SystematicRefusalError(
    `the database refuses ${what} with SQLSTATE ${code}: the schema, its constraints or its rights are wrong, not the messages`,
  );
}

/** Of the class of what passes, but it doesn't: the database lets no version as old as this one write. */
const TOO_OLD = '57D01';

/** A partition waits, and will go on waiting until somebody mends something. What passes by waiting, others watch. */
export function countHeld(error: unknown, repeated: string | undefined): void {
  const mayPass = repeated !== undefined && PASSING.test(repeated) && repeated !== TOO_OLD;
  const lasting = mayPass ? undefined : repeated;
  const code = error instanceof SystematicRefusalError ? /SQLSTATE (\w*)/.exec(error.message)?.[1] : lasting;
  if (code !== undefined) metrics.systematicallyRefused.inc({ sqlstate: code });
}
