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
  let stopp: Stopp | undefined;
  let stenger = false;
  // Before the start, which may wait for a database: the first process of a container is deaf to signals that it does
  // not listen to. The same signal again ends it at once.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      if (stenger) return;
      stenger = true;
      void steng(signal, stopp);
    });
  }
  try {
    stopp = await start();
  } catch (feil) {
    avslutt(feil, 'Could not start');
  }
}

async function steng(signal: string, stopp: Stopp | undefined): Promise<void> {
  logg.info({ signal }, stopp ? 'Stopping' : 'Stopped before it had started');
  const frist = setTimeout(() => {
    logg.error('Did not stop in time');
    avsluttMed(1);
  }, MAKS_NEDSTENGING_MS);
  frist.unref();
  try {
    await stopp?.();
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
