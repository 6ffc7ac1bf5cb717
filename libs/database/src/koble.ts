import { setTimeout as vent } from 'node:timers/promises';
import type { DataSource } from 'typeorm';

/** The database answers, and says no to who is asking: waiting does not help. */
export class AvvistAvDatabasen extends Error {
  readonly oppstartsfeil = true;
}

/** 28: the user or password is wrong; 3D000: there is no such database; 42501: no right to connect to it. */
const AVVIST = /^(28|3D000|42501)/;

/** No connection, the database going down or coming up, a lock or statement that took too long. */
const FORBIGAAENDE = /^(08|53|57|55P03|40|ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN)/;

/** What pg says without a code: of a connection that ended, or that ended while nobody was using it. */
const FORBIGAAENDE_TEKST = /timeout|Connection terminated|not queryable/i;

/** Whether the same may go well in a moment; then nothing of what failed has been stored. */
export function erForbigaaende(feil: unknown): boolean {
  return feil instanceof Error && (FORBIGAAENDE.test(kodeAv(feil)) || FORBIGAAENDE_TEKST.test(feil.message));
}

/**
 * Connects, and waits for the database as long as it takes; then does what must be done first, again when the connection
 * is lost meanwhile.
 *
 * @param vedFeil hears of each attempt that failed
 * @throws AvvistAvDatabasen naming the settings that are wrong
 */
export async function koble<T>(
  datakilde: DataSource,
  vedFeil: (feil: unknown) => void,
  foerst: (datakilde: DataSource) => Promise<T>,
): Promise<T> {
  for (let forsoek = 0; ; forsoek++) {
    try {
      if (!datakilde.isInitialized) await datakilde.initialize();
      return await foerst(datakilde);
    } catch (feil) {
      const kode = kodeAv(feil);
      if (AVVIST.test(kode) && !datakilde.isInitialized) {
        throw new AvvistAvDatabasen(
          `DB_USERNAME, DB_PASSWORD or DB_DATABASE is refused by the database (SQLSTATE ${kode})`,
        );
      }
      if (datakilde.isInitialized && !erForbigaaende(feil)) throw feil;
      vedFeil(feil);
      await vent(Math.min(250 * 2 ** Math.min(forsoek, 10), 5_000));
    }
  }
}

function kodeAv(feil: unknown): string {
  return feil instanceof Error && 'code' in feil && typeof feil.code === 'string' ? feil.code : '';
}
