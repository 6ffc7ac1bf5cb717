import { appendFileSync } from 'node:fs';

/** The file that a run of the faults gathers times in; nothing is noted in other runs. */
export const TIMES_VARIABLE = 'FAULT_TIMES';

export interface CameBack {
  /** the test's name, as it is called when it runs */
  title: string;
  ms: number;
}

/** How long it took until all was there again, for docs/faults.md. */
export function cameBack(title: string, ms: number): void {
  const file = process.env[TIMES_VARIABLE];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ title, ms } satisfies CameBack)}\n`);
}
