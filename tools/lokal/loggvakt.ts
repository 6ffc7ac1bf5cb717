import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';

const HVER_MS = 1_000;

/** A log, and how many bytes of it have been read. */
interface Logg {
  fil: string;
  lest: number;
}

/** Mentions warnings and errors that an app writes to its log from now on; at most one line for each second. */
export function foelgLogg(navn: string, fil: string): { stopp: () => void } {
  const logg: Logg = { fil, lest: existsSync(fil) ? statSync(fil).size : 0 };
  const klokke = setInterval(() => {
    const [foerste, ...flere] = lesNytt(logg);
    if (foerste === undefined) return;
    const resten = flere.length === 0 ? '' : ` (and ${String(flere.length)} more)`;
    console.error(`${navn}: ${foerste}${resten}; see ${fil}`);
  }, HVER_MS);
  return { stopp: () => clearInterval(klokke) };
}

/** What is worth mentioning of what has been written since the last time. */
export function lesNytt(logg: Logg): string[] {
  const del = lesFra(logg.fil, logg.lest);
  // The last line may be half written.
  const slutt = del.lastIndexOf(0x0a) + 1;
  logg.lest += slutt;
  return del.subarray(0, slutt).toString('utf8').split('\n').flatMap(alvorlig);
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
