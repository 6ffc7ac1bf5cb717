import { MAX_LEVELS } from '@tiltak/virksomhet';
import fc from 'fast-check';
import type { RawMessage } from '../kafka/batch.ts';

/** Units that a made-up register tells of, and what all it says of them comes to. */
export const nr = (n: number): string => String(900_000_000 + n);
export const time = (n: number): string => `2026-01-01T00:00:00.${String(n).padStart(6, '0')}Z`;

/** What the source says: a unit, what is above it, when; or that it is gone. */
export interface Said {
  unit: number;
  above: number | null;
  at: number;
  kind: 'SAYS' | 'DELETES' | 'BURIES';
}

export function raw({ unit, above, at, kind }: Said, offset: number): RawMessage {
  const key = Buffer.from(nr(unit));
  if (kind === 'BURIES') return { offset, key, value: null, writtenAt: offset };
  const content = {
    organisasjonsnummer: nr(unit),
    navn: `Unit ${String(unit)} ${String(at)}`,
    overordnetEnhet: above === null ? null : nr(above),
    sistEndret: time(at),
    slettemerket: kind === 'DELETES',
  };
  return { offset, key, value: Buffer.from(JSON.stringify(content)), writtenAt: Date.UTC(2026, 5, 1) + offset };
}

/** Worked out from all that was said, of each unit in the order of its partition: by sets, not by the rule's own code. */
export function expectedVirksomheter(
  said: readonly Said[],
): { nr: string; above: string | null; top: string | null; gone: boolean }[] {
  const above = new Map<number, number | null>();
  const gone = new Set<number>();
  for (const [unit, all] of Map.groupBy(said, (one) => one.unit)) {
    const buried = all.findLastIndex(({ kind }) => kind === 'BURIES');
    const latest = Math.max(
      -1,
      ...all.slice(0, Math.max(buried, 0)).map(({ at, kind }) => (kind === 'BURIES' ? -1 : at)),
    );
    const after = all.slice(buried + 1).filter(({ at }) => buried < 0 || at > latest);
    const last = after.filter(({ at }) => at === Math.max(...after.map((one) => one.at))).at(-1);
    if (last?.kind === 'SAYS') above.set(unit, last.above);
    else gone.add(unit);
  }
  const chainOf = (unit: number): number[] => {
    const chain = [unit];
    for (let next = above.get(unit); next != null && chain.length < 50; next = above.get(next)) chain.push(next);
    return chain;
  };
  return [...above.keys(), ...gone]
    .sort((a, b) => a - b)
    .map((unit) => {
      const chain = chainOf(unit);
      const hasTop = chain.length > 1 && chain.length <= MAX_LEVELS + 1;
      const edge = above.get(unit);
      const top = chain.at(-1) ?? unit;
      return {
        nr: nr(unit),
        above: edge == null ? null : nr(edge),
        top: hasTop ? nr(top) : null,
        gone: gone.has(unit),
      };
    });
}

export const said = fc.record({
  unit: fc.integer({ min: 0, max: 7 }),
  above: fc.option(fc.integer({ min: 0, max: 8 })),
  at: fc.integer({ min: 1, max: 12 }),
  kind: fc.constantFrom<Said['kind'][]>('SAYS', 'SAYS', 'SAYS', 'SAYS', 'DELETES', 'BURIES'),
});
