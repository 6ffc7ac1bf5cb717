import { PROBLEMS, Problem } from '@tiltak/platform';
import type { Rebuild } from './rebuild.job.ts';

/** One for avtaler, and one for each resource that has a topic. */
export class Rebuilds {
  constructor(readonly all: readonly Rebuild[]) {}

  /** What can be built anew here. */
  get names(): string[] {
    return this.all.map(({ rebuilt }) => rebuilt.name);
  }

  /** @throws Problem 400 */
  of(name: string): Rebuild {
    const found = this.all.find(({ rebuilt }) => rebuilt.name === name);
    if (found) return found;
    throw new Problem(PROBLEMS.UGYLDIG_FORESPORSEL, 'The ingestor has no topic of that resource', {
      feil: [{ felt: 'ressurs', melding: `must be one of ${this.names.join(', ')}` }],
    });
  }
}
