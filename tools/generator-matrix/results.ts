import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import type { Case, Outcome } from './cases.ts';
import { GENERATORS, SETTINGS, type SettingsName } from './generators.ts';

export const RESULTS = join(ROOT, 'tools', 'generator-matrix', 'results.json');

/** Of one generator with one kind of settings: each case, or why there was no client. */
export type Run = { cases: Record<Case, Outcome> } | { notBuilt: string };

/** By generator, then by settings. */
export type Results = Record<string, Partial<Record<SettingsName, Run>>>;

export function readResults(): Results {
  return existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Results) : {};
}

/** What worked in one and doesn't in the other: a sentence for each. */
export function findWorse(before: Results, now: Results): string[] {
  return GENERATORS.flatMap(({ name }) =>
    SETTINGS.flatMap((settings) => {
      const [old, fresh] = [before[name]?.[settings], now[name]?.[settings]];
      if (!old || !fresh || 'notBuilt' in old) return [];
      if ('notBuilt' in fresh) return [`${name}, ${settings}: ${fresh.notBuilt}`];
      return Object.entries(old.cases).flatMap(([held, { ok }]) => {
        const outcome = fresh.cases[held as Case] as Outcome | undefined;
        return ok && outcome && !outcome.ok ? [`${name}, ${settings}, ${held}: ${outcome.seen}`] : [];
      });
    }),
  );
}
