import { readFileSync } from 'node:fs';
import { fingerprint } from '@tiltak/platform';

/** Which build this is: the fingerprint of the program that runs, 12 hex digits. */
export function thisBuild(program = process.argv[1]): string {
  try {
    return fingerprint(readFileSync(program ?? '', 'utf8'))
      .toString('hex')
      .slice(0, 12);
  } catch {
    return 'ukjent';
  }
}
