import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { createTestTopic, waitUntil, type TestTopic } from '@tiltak/testing';
import { createEvents } from '@tiltak/simulator';
import { System } from '../../e2e/system.ts';
import type { App } from '../../local/apps.ts';
import { AdapterApi } from '../../reference-adapter/api.ts';
import { send } from '../../reference-adapter/sync.ts';
import type { FreshnessResult } from '../generator/freshness.ts';
import { waitForAnswer } from '../lookups.ts';
import { latenessOf, takeRounds, type Round } from '../measuring/rounds.ts';
import { publishAll, textsOf, withProducer } from '../publish.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig, type Rig } from '../rig.ts';
import { ADAPTER_CONTRACT, createEntry } from './sync.ts';

const MESSAGES = 30_000;
const OF_TRIAL = 2_000;
const PARKED = 2_000;
const PERSONS = 20_000;
const ENTRIES = 4_000;
const PER_SECOND = 200;
const PARTITIONS = 6;
const WARM_UP = 5;

interface Beside {
  system: System;
  app: App;
  /** of the person register */
  register: TestTopic;
}

/** Does it once, from when it is asked for until it is done. @returns messages that it read again, where that is told */
type Work = (beside: Beside) => Promise<number | undefined>;

/** By the names of the cases. */
const WORKS: Record<string, Work> = {
  'rebuild of everything': rebuildAll,
  'check of all relations': checkRelations,
  'reconciliation with the topic': async (beside) => {
    await call(beside, 'POST', 'avstemming?kilde=TOPIC');
    return undefined;
  },
  'replay of all that is parked': replayParked,
  'replay of the person register': replayRegister,
  'full sync over REST': sendSync,
};

/** The stream, alone and beside what goes on in the background, one after the other in each round. */
export function rebuild(options: RunOptions): Promise<Findings> {
  const messages = options.count ?? (options.trial ? OF_TRIAL : MESSAGES);
  const findings = new Findings({ messages, 'messages a second': PER_SECOND });
  return withRig(undefined, async (rig) => {
    const register = await createTestTopic({ partitions: 1, brokers: rig.kafka.brokers });
    const system = await System.create({
      ...{ partitions: PARTITIONS, postgres: rig.postgres.url, brokers: rig.kafka.brokers },
    });
    try {
      system.env.identTopic = register.topic;
      const app = await system.startIngestor();
      const beside = { system, app, register };
      const target = await prepare(rig, beside, messages);
      for (const [name, work] of Object.entries(WORKS)) {
        const taken = await takeRounds(rig.rounds(options), (round) =>
          oneRound(rig, round, { beside, target, work, options }),
        );
        findings.add(name, taken);
      }
      await system.readTopic();
      return findings;
    } finally {
      await system.stop();
      await register.remove();
    }
  });
}

type Target = Parameters<typeof waitForAnswer>[0];

/** What is there before anything is measured. */
async function prepare(rig: Rig, { system }: Beside, messages: number): Promise<Target> {
  const { brokers, topic } = system.env;
  const place = { topic, partitions: PARTITIONS };
  await withProducer(brokers, async (producer) => {
    await publishAll(producer, place, textsOf(createEvents({ count: messages, seed: 7 })));
    const parked = Array.from({ length: PARKED }, () => ({ key: randomUUID(), value: '{"avtaleId": 1}' }));
    await publishAll(producer, place, parked);
  });
  await waitUntilStored(system);
  await system.sql('vacuum (analyze)');
  const { url } = await system.startQueryApi({ LOG_LEVEL: 'warn' });
  const target = { url, headers: await system.as('alt') };
  await waitForAnswer(target);
  await live(rig, { system, target, seconds: WARM_UP, seed: 1 });
  return target;
}

async function live(
  rig: Rig,
  { system, target, seconds, seed }: { system: System; target: Target; seconds: number; seed: number },
): Promise<FreshnessResult> {
  const { brokers, topic } = system.env;
  const shape = { ...target, brokers, topic, partitions: PARTITIONS, perSecond: PER_SECOND, seconds, seed };
  const result = await rig.generator.run('freshness', shape);
  await waitUntilStored(system);
  return result;
}

/** The positions of the register's topic are beside those of the stream's. */
async function waitUntilStored(system: System): Promise<void> {
  const isStored = async (): Promise<boolean> => {
    const [row] = await system.sql<{ n: string }>(
      'select coalesce(sum(neste_offset), 0) as n from konsum_offset where topic = $1',
      [system.env.topic],
    );
    return Number(row?.n) === (await system.onTopic());
  };
  await waitUntil(isStored, { what: 'everything on the topic to be stored', maxMs: 600_000, everyMs: 100 });
}

let seeds = 100;

async function oneRound(
  rig: Rig,
  round: Round,
  { beside, target, work, options }: { beside: Beside; target: Target; work: Work; options: RunOptions },
): Promise<Record<string, number>> {
  const { system } = beside;
  const { seconds } = options;
  const measure = (): Promise<FreshnessResult> => live(rig, { system, target, seconds, seed: ++seeds });
  const told: Record<string, number> = {};
  if (work === rebuildAll) told['alone.perSecond'] = (await once(work, beside)).perSecond;
  const both = await round.pair(
    async () => {
      const end = new AbortController();
      const works = over(work, beside, end.signal);
      const result = await measure();
      end.abort();
      const { times, perSecond } = await works;
      told['times'] = times;
      if (work === rebuildAll) told['perSecond'] = perSecond;
      return result;
    },
    () => measure(),
  );
  for (const { lateness, seen } of Object.values(both)) {
    round.troubles.push(...latenessOf(lateness));
    if (seen < seconds * 2) throw new Error(`Only ${String(seen)} avtaler were seen`);
  }
  const [beside95, alone] = [both.system.times, both.limit.times];
  return {
    ...{ 'alone.p50': alone.p50, 'alone.p95': alone.p95 },
    ...{ 'beside.p50': beside95.p50, 'beside.p95': beside95.p95, 'beside.p99': beside95.p99 },
    ...{ 'beside.max': beside95.max, ratio: beside95.p95 / alone.p95 },
    ...told,
  };
}

async function once(work: Work, beside: Beside): Promise<{ perSecond: number }> {
  const begun = performance.now();
  const read = (await work(beside)) ?? 0;
  return { perSecond: read / ((performance.now() - begun) / 1_000) };
}

/** Over and over; what is under way when it is to end is waited for, and counted by what it took. */
async function over(work: Work, beside: Beside, signal: AbortSignal): Promise<{ times: number; perSecond: number }> {
  let [times, perSecond] = [0, 0];
  while (!signal.aborted) {
    const result = await once(work, beside);
    if (times++ === 0) ({ perSecond } = result);
  }
  return { times, perSecond };
}

async function call(
  { system, app }: Pick<Beside, 'system' | 'app'>,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const authorization = `Bearer ${await system.tokenForOnDuty()}`;
  const response = await fetch(`${app.url}/drift/v1/${path}`, {
    method,
    headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path} answered ${String(response.status)}`);
  const text = await response.text();
  return text === '' ? undefined : JSON.parse(text);
}

async function rebuildAll(beside: Beside): Promise<number> {
  await call(beside, 'POST', 'gjenoppbygging');
  const read = async (): Promise<{ tilstand: string; lest: number }> =>
    (await call(beside, 'GET', 'gjenoppbygging')) as { tilstand: string; lest: number };
  const last = await waitUntil(
    async () => {
      const progress = await read();
      return progress.tilstand === 'FERDIG' && progress;
    },
    { what: 'the rebuild', maxMs: 600_000, everyMs: 100 },
  );
  return last.lest;
}

async function checkRelations(beside: Beside): Promise<undefined> {
  const { id } = (await call(beside, 'POST', 'relasjonskontroll', {})) as { id: string };
  const isDone = async (): Promise<boolean> => {
    const [row] = await beside.system.sql<{ done: boolean }>(
      'select avsluttet is not null as done from relasjonskontroll where id = $1',
      [id],
    );
    return row?.done === true;
  };
  await waitUntil(isDone, { what: 'the check', maxMs: 600_000, everyMs: 50 });
}

async function replayParked(beside: Beside): Promise<undefined> {
  await call(beside, 'POST', 'parkerte/samlet', { handling: 'SPILL_AV', alle: true });
  const isDone = async (): Promise<boolean> => {
    const { siste: last } = (await call(beside, 'GET', 'parkerte/samlet')) as { siste?: { tilstand: string } };
    return last?.tilstand === 'FERDIG';
  };
  await waitUntil(isDone, { what: 'the replay', maxMs: 600_000, everyMs: 100 });
}

/** All persons of the register are told of anew; every tenth has got another ident. */
async function replayRegister({ system, register }: Beside): Promise<undefined> {
  const persons = await system.sql<{ fnr: string }>(
    'select distinct deltaker_fnr as fnr from avtale where deltaker_fnr is not null limit $1',
    [PERSONS],
  );
  const turn = ++seeds;
  await register.publish(
    persons.map(({ fnr }, nr) => {
      const idents = nr % 10 === 0 ? [fnr, String(10_000_000_000 + ((turn * PERSONS + nr) % 30_000_000_000))] : [fnr];
      const identifikatorer = idents.map((idnummer) => ({ idnummer, type: 'FOLKEREGISTERIDENT', gjeldende: true }));
      return { key: String(2_000_000_000_000 + nr), value: JSON.stringify({ identifikatorer }) };
    }),
  );
  const [end] = await register.admin.fetchTopicOffsets(register.topic);
  const isRead = async (): Promise<boolean> => {
    const [row] = await system.sql<{ n: string }>('select neste_offset as n from konsum_offset where topic = $1', [
      register.topic,
    ]);
    return Number(row?.n) >= Number(end?.high);
  };
  await waitUntil(isRead, { what: 'the register', maxMs: 600_000, everyMs: 50 });
}

async function sendSync({ system, app }: Beside): Promise<undefined> {
  const api = new AdapterApi(app.url, () => system.tokenForAdapter());
  await api.settKontrakt(ADAPTER_CONTRACT);
  const syncId = randomUUID();
  // What it does not hold is not deleted: the others are measured on that.
  const entries = Array.from({ length: ENTRIES }, (_, nr) => createEntry(nr));
  await send(api, entries, { method: 'PATCH', syncId, pageSize: 2_000, concurrency: 4, progress: () => undefined });
  await waitUntil(async () => (await api.hentSynk(syncId)).tilstand === 'FULLFOERT', {
    what: 'the sync to be completed',
    maxMs: 600_000,
  });
  await wait(1_000);
}
