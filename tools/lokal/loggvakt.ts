import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';

const HVER_MS = 1_000;

/** Mentions warnings and errors that an app writes to its log from now on; at most one line for each second. */
export function foelgLogg(navn: string, loggfil: string): { stopp: () => void } {
  let lest = existsSync(loggfil) ? statSync(loggfil).size : 0;
  const sjekk = (): void => {
    const del = lesFra(loggfil, lest);
    // The last line may be half written.
    const slutt = del.lastIndexOf(0x0a) + 1;
    lest += slutt;
    const [foerste, ...flere] = del.subarray(0, slutt).toString('utf8').split('\n').flatMap(alvorlig);
    if (foerste === undefined) return;
    const resten = flere.length === 0 ? '' : ` (and ${String(flere.length)} more)`;
    console.error(`${navn}: ${foerste}${resten}; see ${loggfil}`);
  };
  const klokke = setInterval(sjekk, HVER_MS);
  return { stopp: () => clearInterval(klokke) };
}

/** @returns «warn: what it says», for a JSON line of that level or worse */
function alvorlig(linje: string): string[] {
  try {
    const { level, message } = JSON.parse(linje) as { level?: string; message?: string };
    return level !== undefined && ['warn', 'error', 'fatal'].includes(level) ? [`${level}: ${String(message)}`] : [];
  } catch {
    // Not the app's own line.
    return [];
  }
}

function lesFra(fil: string, fra: number): Buffer {
  if (!existsSync(fil)) return Buffer.alloc(0);
  const deskriptor = openSync(fil, 'r');
  try {
    const del = Buffer.alloc(Math.min(Math.max(statSync(fil).size - fra, 0), 1 << 20));
    return del.subarray(0, readSync(deskriptor, del, 0, del.length, fra));
  } finally {
    closeSync(deskriptor);
  }
}

/** The last lines of a log, for who has to find out what went wrong. */
export function sisteLinjer(fil: string, antall = 10): string {
  return existsSync(fil) ? readFileSync(fil, 'utf8').trimEnd().split('\n').slice(-antall).join('\n') : '';
}
