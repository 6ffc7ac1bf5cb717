import { setTimeout as wait } from 'node:timers/promises';
import type { System } from '../../e2e/system.ts';
import { readActivity, type TableActivity } from '../measuring/tables.ts';
import type { TextMessage } from '../publish.ts';

const PER_SECOND = 10;
const LOOK_EVERY_MS = 5_000;
const TABLES = ['avtale', 'avtale_versjon'] as const;

interface Stretch {
  system: System;
  publish: (messages: readonly TextMessage[]) => Promise<void>;
  seconds: number;
  perSecond: number;
}

/**
 * Changes at an even rate: whether they are kept up with, how many of them enter no index, and how many dead rows there are
 * at most while Postgres vacuums by itself, as it is set up to.
 *
 * @param changes of a pass; each changes what the one before has changed
 */
export async function measureStretch(
  { system, publish, seconds, perSecond }: Stretch,
  changes: (pass: number) => Iterable<TextMessage>,
): Promise<Record<string, number>> {
  const watch = new Watch(system);
  await watch.look();
  const stored = await system.ingested();
  const begun = performance.now();
  let published = 0;
  for (const batch of batchesOf(changes, Math.ceil(perSecond / PER_SECOND))) {
    const due = begun + (published / perSecond) * 1_000;
    if (due - begun >= seconds * 1_000) break;
    await wait(Math.max(0, due - performance.now()));
    await publish(batch);
    published += batch.length;
    await watch.lookSometimes();
  }
  const behind = published - ((await system.ingested()) - stored);
  const took = (performance.now() - begun) / 1_000;
  await system.waitForTopic(600_000);
  // What backends count is told within a second.
  await wait(1_500);
  await watch.look();
  return { 'stretch.perSecond': published / took, 'stretch.behind': behind / perSecond, ...watch.figures(published) };
}

function* batchesOf(changes: (pass: number) => Iterable<TextMessage>, size: number): Generator<TextMessage[]> {
  for (let pass = 0; ; pass++) {
    let batch: TextMessage[] = [];
    for (const message of changes(pass)) {
      batch.push(message);
      if (batch.length < size) continue;
      yield batch;
      batch = [];
    }
  }
}

class Watch {
  private readonly system: System;
  private readonly seen: Record<(typeof TABLES)[number], TableActivity[]> = { avtale: [], avtale_versjon: [] };
  private last = 0;

  constructor(system: System) {
    this.system = system;
  }

  async look(): Promise<void> {
    this.last = performance.now();
    for (const table of TABLES) this.seen[table].push(await readActivity(this.system.url, table));
  }

  async lookSometimes(): Promise<void> {
    if (performance.now() - this.last >= LOOK_EVERY_MS) await this.look();
  }

  figures(published: number): Record<string, number> {
    const { avtale, avtale_versjon: versions } = this.seen;
    const [first, last] = [avtale[0], avtale.at(-1)];
    if (!first || !last) return {};
    const ofDead = (all: TableActivity[]): number => Math.max(...all.map(({ dead, live }) => (dead / live) * 100));
    const updates = last.updates - first.updates;
    return {
      'stretch.hot': ((last.hot - first.hot) / updates) * 100,
      'stretch.updates': updates / published,
      'stretch.dead': ofDead(avtale),
      'stretch.deadAtEnd': (last.dead / last.live) * 100,
      'stretch.deadVersions': ofDead(versions),
      'stretch.vacuums': last.autovacuums - first.autovacuums,
      'stretch.grown': ((last.bytes - first.bytes) / first.bytes) * 100,
    };
  }
}
