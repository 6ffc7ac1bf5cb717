import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { waitUntil } from '@tiltak/testing';
import { createEvents } from '@tiltak/simulator';
import type { System } from '../../e2e/system.ts';
import { waitForAnswer } from '../lookups.ts';
import { CpuMeter } from '../measuring/machine.ts';
import { takeRounds } from '../measuring/rounds.ts';
import { textsOf, type TextMessage } from '../publish.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig, type Rig } from '../rig.ts';

const FOLLOWERS = 1_000;
const OF_TRIAL = 50;
const CHANGES_PER_SECOND = 2;

/** Consumers who wait at the end of the change feed: how soon each of them has what changes. */
export function followers(options: RunOptions): Promise<Findings> {
  const count = options.count ?? (options.trial ? OF_TRIAL : FOLLOWERS);
  const findings = new Findings({ followers: count });
  return withRig(undefined, async (rig) => {
    const system = await rig.createSystem();
    try {
      await system.startIngestor();
      const consumers = Array.from({ length: count }, () => randomUUID());
      const registry = writeRegistry(rig.directory, consumers);
      const app = await system.startQueryApi({ LOG_LEVEL: 'warn', KONSUMENTER_FIL: registry });
      const tokens = await Promise.all(consumers.map((azp) => system.token({ azp })));
      const headers = { authorization: `Bearer ${tokens[0] ?? ''}`, 'content-type': 'application/json' };
      await waitForAnswer({ url: app.url, headers });
      await rig.generator.run('follow', { url: app.url, tokens });
      await waitUntil(async () => (await rig.generator.run('waitingFollowers')) === count, {
        what: 'the followers to wait at the end of the feed',
        maxMs: 120_000,
      });
      const taken = await takeRounds(rig.rounds(options), (round) => {
        // Of each avtale its first message only: the feed tells of each of them once.
        const changes = firstMessages(Math.ceil(options.seconds * CHANGES_PER_SECOND), round.nr + 1);
        return round.measure(() => change(rig, system, app.proc.pid, changes, count));
      });
      findings.add('', taken);
      await rig.generator.run('stopFollowing');
      return findings;
    } finally {
      await system.stop();
    }
  });
}

async function change(
  rig: Rig,
  system: System,
  queryApi: number,
  changes: readonly TextMessage[],
  count: number,
): Promise<Record<string, number>> {
  const meter = new CpuMeter({
    postgres: rig.postgres.proc().pid,
    'query-api': queryApi,
    generator: rig.generator.pid,
  });
  const begun = performance.now();
  const made: Record<string, number> = {};
  for (const [nr, message] of changes.entries()) {
    await wait(Math.max(0, begun + (nr * 1_000) / CHANGES_PER_SECOND - performance.now()));
    await system.publish([message]);
    made[message.key] = Date.now();
  }
  const arrived = async (): Promise<boolean> =>
    (await rig.generator.run('arrivals', made)).arrived >= changes.length * count;
  await waitUntil(arrived, { what: 'every follower to have every change', everyMs: 500 });
  const seconds = (performance.now() - begun) / 1_000;
  const cpu = Object.entries(meter.read()).map(([name, micros]) => [`cores.${name}`, micros / 1e6 / seconds]);
  const { times, arrived: found, failed } = await rig.generator.run('arrivals', made);
  if (failed > 0 || found !== changes.length * count)
    throw new Error(
      `${String(failed)} polls failed, and ${String(found)} arrivals are not ${String(changes.length * count)}`,
    );
  return {
    'arrival.p50': times.p50,
    'arrival.p90': times.p90,
    'arrival.p99': times.p99,
    'arrival.max': times.max,
    ...(Object.fromEntries(cpu) as Record<string, number>),
  };
}

/** Of so many avtaler that consumers may see, and that nobody has heard of. */
function firstMessages(count: number, seed: number): TextMessage[] {
  const first = new Map<string, TextMessage>();
  for (const message of textsOf(createEvents({ count: count * 60, seed: 7_000 + seed }))) {
    // Nobody hears of what was never to be seen.
    const isVisible = !/"(feilregistrert|slettemerket)":true/.test(message.value);
    if (isVisible && !first.has(message.key)) first.set(message.key, message);
    if (first.size === count) break;
  }
  return [...first.values()];
}

/** A consumer of its own for each follower, as they are in production. */
function writeRegistry(directory: string, consumers: readonly string[]): string {
  const file = join(directory, 'konsumenter.yaml');
  const entries = consumers.map(
    (azp, nr) => `- navn: foelger-${String(nr)}
  azp: ${azp}
  bruksvilkaar: 2
  behandlingsgrunnlag:
    - id: LOKAL
      lenke: https://behandlingskatalog.example.no/LOKAL
      operasjoner: alle
      felter: alle
`,
  );
  writeFileSync(file, entries.join(''));
  return file;
}
