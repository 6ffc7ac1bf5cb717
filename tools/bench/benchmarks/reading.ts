import { waitUntil } from '@tiltak/testing';
import { createEvents } from '@tiltak/simulator';
import type { System } from '../../e2e/system.ts';
import type { LoadResult } from '../generator/load.ts';
import {
  createRequests,
  evenFigures,
  evenLoad,
  readPersons,
  waitForAnswer,
  type EvenShape,
  type Target,
} from '../lookups.ts';
import { takeRounds, type Round } from '../measuring/rounds.ts';
import { Findings, type RunOptions } from '../results.ts';
import { publishAll, textsOf, withProducer } from '../publish.ts';
import { withRig, type Rig } from '../rig.ts';

const AVTALER = 100_000;
const OF_TRIAL = { avtaler: 1_000, messages: 20_000 };
/** As many as an ingestor reads in half a minute at most. */
const MESSAGES = 600_000;
const PUBLISHED_AT_ONCE = 100_000;
const PARTITIONS = 6;
const LOAD = { connections: 32, perSecond: 200 };

/** Look-ups at an even 200 a second: with nothing else to do, and while a backlog is read in. None may fail. */
export function reading(options: RunOptions): Promise<Findings> {
  const avtaler = options.trial ? OF_TRIAL.avtaler : AVTALER;
  const wanted = (MESSAGES * options.seconds) / 30;
  const messages = options.count ?? (options.trial ? OF_TRIAL.messages : wanted);
  const findings = new Findings({ avtaler, messages });
  return withRig({ avtaler, lives: 'whole' }, async (rig) => {
    const taken = await takeRounds(rig.rounds(options), (round) => oneRound(rig, round, messages, options));
    findings.add('', taken);
    return findings;
  });
}

async function oneRound(
  rig: Rig,
  round: Round,
  messages: number,
  { seconds, trial }: RunOptions,
): Promise<Record<string, number>> {
  const system = await rig.createSystem(PARTITIONS);
  try {
    // Until the topic has been read to its end once, nothing is answered.
    const first = await system.startIngestor();
    const { url } = await system.startQueryApi({ LOG_LEVEL: 'warn' });
    const target = { url, headers: await system.as('alt') };
    await waitForAnswer(target);
    const shape = { ...LOAD, requests: createRequests('tiltaksstatus', await readPersons(system.url, 5_000)), seconds };
    const idle = await round.measure(() => evenLoad(rig, round, target, shape));
    await first.proc.stop();
    const expected = (await countAvtaler(system)) + (await publish(system, messages, round.nr));
    const busy = await round.measure(() => besideBacklog(rig, round, { system, target, shape, trial }));
    if ((await countAvtaler(system)) !== expected) throw new Error('Not everything that was published is stored');
    return {
      ...evenFigures('idle', idle),
      ...evenFigures('busy', busy),
      ratio: busy.times.p99 / idle.times.p99,
      failed: idle.failed + busy.failed,
    };
  } finally {
    await system.stop();
  }
}

/** Of avtaler that nobody has heard of, in each round others. @returns how many avtaler */
async function publish({ env: { brokers, topic } }: System, messages: number, round: number): Promise<number> {
  const keys = new Set<string>();
  await withProducer(brokers, async (producer) => {
    for (let from = 0; from < messages; from += PUBLISHED_AT_ONCE) {
      const seed = 1_000 * (round + 1) + from / PUBLISHED_AT_ONCE;
      const part = textsOf(createEvents({ count: Math.min(PUBLISHED_AT_ONCE, messages - from), seed }));
      for (const { key } of part) keys.add(key);
      await publishAll(producer, { topic, partitions: PARTITIONS }, part);
    }
  });
  return keys.size;
}

async function countAvtaler(system: System): Promise<number> {
  const [row] = await system.sql<{ n: number }>('select count(*)::int as n from avtale');
  return row?.n ?? 0;
}

/** From the first message that is stored; it is over when the load is, or the backlog. */
async function besideBacklog(
  rig: Rig,
  round: Round,
  { system, target, shape, trial }: { system: System; target: Target; shape: EvenShape; trial: boolean },
): Promise<LoadResult> {
  const before = await system.ingested();
  await system.startIngestor();
  await waitUntil(async () => (await system.ingested()) > before, { what: 'the first messages', everyMs: 10 });
  const all = await system.onTopic();
  const stopWhenRead = async (): Promise<void> => {
    if ((await system.ingested()) >= all) await rig.generator.run('stopLoad');
  };
  const watch = setInterval(() => void stopWhenRead().catch(() => undefined), 250);
  try {
    const result = await evenLoad(rig, round, target, shape);
    clearInterval(watch);
    if (result.seconds < shape.seconds / 2 && !trial) round.troubles.push('the backlog was too small: use --antall');
    await system.waitForTopic(1_200_000);
    return result;
  } finally {
    clearInterval(watch);
  }
}
