import { setTimeout as vent } from 'node:timers/promises';
import type { DataSource } from 'typeorm';

/** The database answers, and says no to who is asking: waiting does not help. */
export class AvvistAvDatabasen extends Error {
  readonly oppstartsfeil = true;
}

/**
 * Connects, and waits for the database as long as it takes.
 *
 * @param vedFeil hears of each attempt that failed
 * @throws AvvistAvDatabasen naming the settings that are wrong
 */
export async function koble(datakilde: DataSource, vedFeil: (feil: unknown) => void): Promise<void> {
  for (let forsoek = 0; ; forsoek++) {
    try {
      await datakilde.initialize();
      return;
    } catch (feil) {
      const kode = String((feil as { code?: unknown }).code);
      // 28: the user or password is wrong; 3D000: there is no such database; 42501: no right to connect to it.
      if (/^(28|3D000|42501)/.test(kode)) {
        throw new AvvistAvDatabasen(
          `DB_USERNAME, DB_PASSWORD or DB_DATABASE is refused by the database (SQLSTATE ${kode})`,
        );
      }
      vedFeil(feil);
      await vent(Math.min(250 * 2 ** Math.min(forsoek, 10), 5_000));
    }
  }
}
