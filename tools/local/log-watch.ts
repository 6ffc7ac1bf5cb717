import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';

const EVERY_MS = 1_000;

/** A log, and how many bytes of it have been read. */
interface Log {
  file: string;
  bytesRead: number;
}

/** Mentions warnings and errors that an app writes to its log from now on; at most one line for each second. */
export function followLog(name: string, file: string): { stop: () => void } {
  const log: Log = { file, bytesRead: existsSync(file) ? statSync(file).size : 0 };
  const timer = setInterval(() => {
    const [first, ...more] = readNew(log);
    if (first === undefined) return;
    const rest = more.length === 0 ? '' : ` (and ${String(more.length)} more)`;
    console.error(`${name}: ${first}${rest}; see ${file}`);
  }, EVERY_MS);
  return { stop: () => clearInterval(timer) };
}

/** What is worth mentioning of what has been written since the last time. */
export function readNew(log: Log): string[] {
  const part = readFrom(log.file, log.bytesRead);
  // The last line may be half written.
  const end = part.lastIndexOf(0x0a) + 1;
  log.bytesRead += end;
  return part.subarray(0, end).toString('utf8').split('\n').flatMap(serious);
}

/** @returns «warn: what it says», for a JSON line of that level or worse */
function serious(line: string): string[] {
  try {
    const { level, message } = JSON.parse(line) as { level?: string; message?: string };
    return level !== undefined && ['warn', 'error', 'fatal'].includes(level) ? [`${level}: ${String(message)}`] : [];
  } catch {
    // Not the app's own line.
    return [];
  }
}

function readFrom(file: string, from: number): Buffer {
  if (!existsSync(file)) return Buffer.alloc(0);
  const descriptor = openSync(file, 'r');
  try {
    const part = Buffer.alloc(Math.min(Math.max(statSync(file).size - from, 0), 1 << 20));
    return part.subarray(0, readSync(descriptor, part, 0, part.length, from));
  } finally {
    closeSync(descriptor);
  }
}

/** The last lines of a log, for who has to find out what went wrong. */
export function lastLogLines(file: string, count = 10): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n') : '';
}
