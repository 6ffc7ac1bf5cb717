import { Konfigurasjonsfeil } from './config.ts';
import { erOppstartsfeil } from './oppstartsfeil.ts';
import { logg, toemLogg } from './logg.ts';

/** The platform kills the process after 30 s. */
const MAKS_NEDSTENGING_MS = 28_000;

/** Stops what was started, in reverse. */
export type Stopp = () => Promise<void>;

/**
 * The frame of a process: starts it, stops it on SIGTERM or SIGINT, and ends it with a clear line and an exit code other
 * than 0 when it can't start.
 */
export async function kjorApp(start: () => Promise<Stopp>): Promise<void> {
  process.on('unhandledRejection', (feil) => avslutt(feil, 'A promise was rejected and nobody listened'));
  process.on('uncaughtException', (feil) => avslutt(feil, 'An error was thrown and nobody caught it'));
  try {
    const stopp = await start();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void steng(signal, stopp));
  } catch (feil) {
    avslutt(feil, 'Could not start');
  }
}

async function steng(signal: string, stopp: Stopp): Promise<void> {
  logg.info({ signal }, 'Stopping');
  setTimeout(() => {
    logg.error('Did not stop in time');
    avsluttMed(1);
  }, MAKS_NEDSTENGING_MS).unref();
  try {
    await stopp();
    logg.info('Stopped');
    avsluttMed(0);
  } catch (feil) {
    avslutt(feil, 'Could not stop in order');
  }
}

function avslutt(feil: unknown, melding: string): never {
  if (feil instanceof Konfigurasjonsfeil || erOppstartsfeil(feil)) {
    for (const linje of feil.message.split('\n')) logg.fatal(linje);
  } else {
    logg.fatal({ err: feil }, melding);
  }
  avsluttMed(1);
}

function avsluttMed(kode: number): never {
  toemLogg();
  process.exit(kode);
}
