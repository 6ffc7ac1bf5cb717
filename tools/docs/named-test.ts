import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';

/** Whether something in the file stands where a test's name does: first in a call, or first in a row of a table. */
export function hasTest(file: string, title: string): boolean {
  if (!existsSync(join(ROOT, file))) return false;
  const source = readFileSync(join(ROOT, file), 'utf8');
  return Array.from(source.matchAll(/[([]\s*(?:'((?:\\.|[^'\\\n])*)'|"([^"\n]*)"|`([^`]*)`)/g)).some((groups) =>
    groups.slice(1).some((found?: string) => found?.replaceAll("\\'", "'") === title),
  );
}
