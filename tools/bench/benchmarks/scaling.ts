import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { createEvents } from '@tiltak/simulator';
import { waitUntil } from '@tiltak/testing';
import type { System } from '../../e2e/system.ts';
import type { App } from '../../local/apps.ts';
import { createRequests, load, readPersons, waitForAnswer, type LoadShape, type Target } from '../lookups.ts';
import { CpuMeter, forgetPeak, peakMemory, type Processes } from '../measuring/machine.ts';
import { takeRounds, type Round } from '../measuring/rounds.ts';
import { publishAll, textsOf } from '../publish.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig, type Rig } from '../rig.ts';

const AVTALER = 100_000;
const MESSAGES = 40_000;
/** Of each process, before anything is measured: what is read and written first is the compiler's, however long it takes. */
const WARM_UP = { lookups: 6_000, messages: 5_000 };
const OF_SHORT = { messages: 6_000, warmUp: { lookups: 2_500, messages: 1_500 } };
const OF_TRIAL = { avtaler: 1_000, messages: 2_000, warmUp: { lookups: 100, messages: 100 } };
/** What four ingestors share evenly. */
const PARTITIONS = 12;
const COUNTS = { one: 1, two: 2, four: 4 } as const;
type Count = keyof typeof COUNTS;
/** ms of CPU in a second, of all processes together: less than that nobody works */
const QUIET_MS = 500;
/** Of each query-api: so that what each has to do is the same, however many they are. */
const EACH = { connections: 32, perSecond: 50, followers: 5 };

/**
 * What a look-up and a message cost, in CPU time, with one, two and four of each app on the same stock: each query-api is
 * asked for as much as when it was alone, and the ingestors share a backlog.
 */
export function scaling(options: RunOptions): Promise<Findings> {
  const avtaler = options.count ?? (options.trial ? OF_TRIAL.avtaler : AVTALER);
  const messages = options.trial ? OF_TRIAL.messages : options.short ? OF_SHORT.messages : MESSAGES;
  const findings = new Findings({ avtaler, messages });
  return withRig({ avtaler, lives: 'whole' }, async (rig) => {
    const system = await rig.createSystem(PARTITIONS);
    try {
      await loadOnce(system);
      const taken = await takeRounds(rig.rounds(options), async (round) => {
        const found = {} as Record<Count, Record<string, number>>;
        for (const [name, count] of Object.entries(COUNTS) as [Count, number][]) {
          found[name] = {
            ...(await ofQueryApis(rig, round, { system, count, options })),
            ...(await ofIngestors(rig, round, { system, count, messages, options })),
          };
        }
        return found;
      });
      addAll(findings, taken);
      return findings;
    } finally {
      await system.stop();
    }
  });
}

type Taken = Awaited<ReturnType<typeof takeRounds<Record<Count, Record<string, number>>>>>;

function addAll(findings: Findings, { values, ...rest }: Taken): void {
  const none = { troubles: [], conditions: [], thrownAway: 0 };
  findings.add('one', { values: values.map(({ one }) => one), ...rest });
  findings.add('two', { values: values.map(({ two }) => two), ...none });
  findings.add('four', { values: values.map(({ four }) => four), ...none });
  for (const many of ['two', 'four'] as const) {
    findings.add(`${many}, of one`, { values: values.map((value) => growthOf(value.one, value[many])), ...none });
  }
}

/** CPU of all processes that take part. */
const SUMS = {
  lookup: ['lookup.query-api', 'lookup.postgres'],
  even: ['even.query-api', 'even.postgres'],
  message: ['message.ingestor', 'message.postgres'],
} as const;

function growthOf(one: Record<string, number>, many: Record<string, number>): Record<string, number> {
  const sum = (of: Record<string, number>, names: readonly string[]): number =>
    names.reduce((total, name) => total + (of[name] ?? Number.NaN), 0);
  return Object.fromEntries(Object.entries(SUMS).map(([name, parts]) => [name, sum(many, parts) / sum(one, parts)]));
}

/** Until the topic has been read to its end once, nothing is answered. */
async function loadOnce(system: System): Promise<void> {
  const ingestor = await system.startIngestor();
  const queryApi = await system.startQueryApi({ LOG_LEVEL: 'warn' });
  await waitForAnswer({ url: queryApi.url, headers: await system.as('alt') });
  await Promise.all([ingestor, queryApi].map(({ proc }) => proc.stop()));
}

interface OfQueryApis {
  system: System;
  count: number;
  options: RunOptions;
}

/** Asked for nothing; by followers of the feed; at an even rate; and for as much as they can. */
async function ofQueryApis(
  rig: Rig,
  round: Round,
  { system, count, options }: OfQueryApis,
): Promise<Record<string, number>> {
  const { rateSeconds } = options;
  const { address, apps } = await system.startQueryApis(count, { LOG_LEVEL: 'warn' });
  const processes = { ...named('query-api', apps), postgres: rig.postgres.proc().pid };
  const target = { url: address.url, headers: await system.as('alt') };
  await waitForAnswer(target);
  const requests = createRequests('tiltaksstatus', await readPersons(system.url, 5_000));
  const shape = { requests, connections: EACH.connections * count, seconds: rateSeconds };
  await warmUp(rig, target, shape, warmUpOf(options).lookups * count);
  for (const { proc } of apps) forgetPeak(proc.pid);
  const idle = await round.measure(() => cpuOf(processes, rateSeconds));
  const following = await round.measure(() => whileFollowed(rig, target, count, () => cpuOf(processes, rateSeconds)));
  const asked = (extra: Partial<LoadShape>): Promise<Record<string, number>> =>
    round.measure(() => perAnswer(rig, round, target, { ...shape, ...extra }, processes));
  const even = await asked({ perSecond: EACH.perSecond * count });
  const full = await asked({});
  const connections = await connectionsOf(system, 'query-api');
  const memory = Math.max(...apps.map(({ proc }) => peakMemory(proc.pid)));
  for (const app of apps) address.leave(app);
  await Promise.all(apps.map(({ proc }) => proc.stop()));
  return {
    ...prefixed('lookup', full),
    ...prefixed('even', even),
    ...prefixed('idle', each(idle, count)),
    ...prefixed('following', each(following, count)),
    'connections.query-api': connections / count,
    'memory.query-api': memory,
  };
}

const warmUpOf = ({ trial, short }: RunOptions): typeof WARM_UP =>
  trial ? OF_TRIAL.warmUp : short ? OF_SHORT.warmUp : WARM_UP;

async function warmUp(rig: Rig, target: Target, shape: LoadShape, lookups: number): Promise<void> {
  for (let answered = 0; answered < lookups;) {
    answered += (await rig.generator.run('load', { ...target, ...shape, seconds: 1 })).answers;
  }
}

async function whileFollowed<T>(rig: Rig, { url, headers }: Target, count: number, work: () => Promise<T>): Promise<T> {
  const token = (headers['authorization'] ?? '').replace('Bearer ', '');
  const tokens = Array.from({ length: EACH.followers * count }, () => token);
  await rig.generator.run('follow', { url, tokens, from: await endOfFeed({ url, headers }) });
  try {
    return await work();
  } finally {
    await rig.generator.run('stopFollowing');
  }
}

/** As an export says in its first line; the rest of it is not read. */
async function endOfFeed({ url, headers }: Target): Promise<string> {
  const { body } = await fetch(`${url}/api/v1/eksport`, { headers });
  let text = '';
  for await (const chunk of body ?? []) {
    text += Buffer.from(chunk).toString();
    if (text.includes('\n')) break;
  }
  return (JSON.parse(text.slice(0, text.indexOf('\n'))) as { posisjon: string }).posisjon;
}

/** µs, by kind of process, for each answer. */
async function perAnswer(
  rig: Rig,
  round: Round,
  target: Target,
  shape: LoadShape,
  processes: Processes,
): Promise<Record<string, number>> {
  const measured = await load(rig, round, target, shape, processes);
  const { generator: _, ...cpu } = measured.cpu;
  return divided(byKind(cpu), measured.load.answers);
}

interface OfIngestors {
  system: System;
  count: number;
  messages: number;
  options: RunOptions;
}

/** A backlog that becomes visible to all of them at once: from then on until it is stored. */
async function ofIngestors(
  rig: Rig,
  round: Round,
  { system, count, messages, options }: OfIngestors,
): Promise<Record<string, number>> {
  const { brokers, topic } = system.env;
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const apps = await Promise.all(Array.from({ length: count }, () => system.startIngestor({ LOG_LEVEL: 'warn' })));
  try {
    const members = await waitUntil(() => membersOf(admin, topic, count), { what: 'all to have partitions' });
    // Of avtaler that nobody has heard of, in each round and for each number of processes others.
    const seed = 10_000 + round.nr * 100 + count * 10;
    const first = warmUpOf(options).messages * count;
    await (
      await publishUnseen(kafka, topic, textsOf(createEvents({ count: first, seed })))
    )();
    await system.waitForTopic(1_200_000);
    const processes = { ...named('ingestor', apps), postgres: rig.postgres.proc().pid, kafka: rig.kafka.proc().pid };
    await untilStarted(processes);
    const idle = await round.measure(() => cpuOf(processes, options.rateSeconds));
    for (const { proc } of apps) forgetPeak(proc.pid);
    const events = textsOf(createEvents({ count: messages, seed: seed + 1 }));
    const before = await system.onTopic();
    const commit = await publishUnseen(kafka, topic, events);
    const cpu = await round.measure(async () => {
      const meter = new CpuMeter(processes);
      await commit();
      await system.waitForTopic(1_200_000);
      return meter.read();
    });
    if ((await system.onTopic()) - before < messages) throw new Error('Not everything that was published is there');
    // Who has lost its partitions on the way has done what is no part of the work.
    const after = await membersOf(admin, topic, count);
    if (String(after) !== String(members)) round.troubles.push('the ingestors shared their partitions anew');
    return {
      ...prefixed('message', divided(byKind(cpu), messages)),
      ...prefixed('idleIngestors', each(idle, count)),
      'connections.ingestor': (await connectionsOf(system, 'ingestor')) / count,
      'memory.ingestor': Math.max(...apps.map(({ proc }) => peakMemory(proc.pid))),
    };
  } finally {
    await Promise.all(apps.map(({ proc }) => proc.stop()));
    await admin.disconnect();
  }
}

/** Of the group, once all of them have joined it and have partitions. */
async function membersOf(admin: Admin, group: string, count: number): Promise<string[] | undefined> {
  const { groups } = await admin.describeGroups([group]);
  const members = groups[0]?.members ?? [];
  const isShared = groups[0]?.state === 'Stable' && members.length === count;
  return isShared ? members.map(({ memberId }) => memberId).sort() : undefined;
}

/** In a transaction that is not committed yet: nobody reads any of it before it is. */
async function publishUnseen(
  kafka: Kafka,
  topic: string,
  messages: ReturnType<typeof textsOf>,
): Promise<() => Promise<void>> {
  const producer = kafka.producer({ transactionalId: randomUUID(), idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const transaction = await producer.transaction();
  await publishAll(transaction, { topic, partitions: PARTITIONS }, messages);
  return async () => {
    await transaction.commit();
    await producer.disconnect();
  };
}

const named = (kind: string, apps: readonly App[]): Processes =>
  Object.fromEntries(apps.map(({ proc }, nr) => [`${kind}#${String(nr)}`, proc.pid]));

/** Several processes of a kind are told of together. */
function byKind(micros: Record<string, number>): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, used] of Object.entries(micros)) {
    const [kind = ''] = name.split('#');
    sums[kind] = (sums[kind] ?? 0) + used;
  }
  return sums;
}

/** What an ingestor does once after its start, the figures of the day and the check of the links, is no part of being idle. */
async function untilStarted(processes: Processes): Promise<void> {
  for (let quiet = 0, tries = 0; quiet < 3 && tries < 60; tries++) {
    const used = Object.values(await cpuOf(processes, 2)).reduce((sum, one) => sum + one, 0);
    quiet = used < QUIET_MS ? quiet + 1 : 0;
  }
}

/** ms of CPU a second, by kind, while nothing is done to them. */
async function cpuOf(processes: Processes, seconds: number): Promise<Record<string, number>> {
  const meter = new CpuMeter(processes);
  const begun = performance.now();
  await wait(seconds * 1_000);
  return divided(byKind(meter.read()), performance.now() - begun);
}

const divided = (values: Record<string, number>, by: number): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value / by]));
const each = divided;
const prefixed = (prefix: string, values: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}.${name}`, value]));

async function connectionsOf(system: System, app: string): Promise<number> {
  const [row] = await system.sql<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where application_name like $1 and datname = current_database()`,
    [`${app}%`],
  );
  return row?.n ?? 0;
}
