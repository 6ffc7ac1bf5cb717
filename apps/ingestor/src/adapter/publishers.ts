import { PROBLEMS, Problem } from '@tiltak/platform';
import type { Publisher } from '../kafka/publisher.ts';

/** Who writes to the topic of each resource that has one here. */
export class Publishers {
  private readonly byResource: ReadonlyMap<string, Publisher>;

  constructor(byResource: Readonly<Record<string, Publisher>>) {
    this.byResource = new Map(Object.entries(byResource));
  }

  get resources(): string[] {
    return [...this.byResource.keys()];
  }

  /** @throws Problem 409 for a resource that this organisation has no topic for */
  of(resource: string): Publisher {
    const publisher = this.byResource.get(resource);
    if (publisher) return publisher;
    throw new Problem(PROBLEMS.KONFLIKT, `This organisation has no topic of ${resource}`);
  }
}
