import { heldIn, noticed, type SceneShown, type Show } from './show.ts';

export function printTitle({ nr, name, promise }: SceneShown): void {
  console.log(`\nScene ${String(nr)}: ${name}\n  ${promise}`);
}

/** Figures, what was seen of the promise, and the word. */
export function printScene({ figures, checks, state, seconds, error }: SceneShown): void {
  if (figures.length > 0) {
    const rows = [
      ['', 'before', 'during', 'after'],
      ...figures.map(({ name, before = '', during = '', after = '' }) => [name, before, during, after]),
    ];
    const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    for (const row of rows) console.log(`  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
  }
  for (const { claim, holds, seen } of checks) console.log(`  ${holds ? '✓' : '✗'} ${claim}: ${seen}`);
  if (error !== undefined) console.log(`  It was stopped: ${error}`);
  console.log(`  ${state} (${seconds.toFixed(0)} s)`);
}

/** @returns whether it went as it should; with planted faults: that each was noticed, by a scene that came to its end */
export function printVerdict(show: Show, file: string): boolean {
  const all = show.scenes.length;
  const seen = show.scenes.filter(noticed).length;
  console.log(`\nThe whole of it, to send: ${file}`);
  if (show.broken) console.log(`${String(seen)} of ${String(all)} planted faults were noticed`);
  console.log(`${String(heldIn(show))} of ${String(all)} held`);
  return show.broken ? seen === all : heldIn(show) === all;
}
