import { changesTo } from '../copies.ts';
import { createRequests, evenLoad, load, readPersons, waitForAnswer, type Operation, type Target } from '../lookups.ts';
import { CpuMeter, cpuPer, forgetPeak, peakMemory } from '../measuring/machine.ts';
import { takeRounds, type Round } from '../measuring/rounds.ts';
import { readActivity, readSizes } from '../measuring/tables.ts';
import { publishAll, withProducer, type TextMessage } from '../publish.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig, type Rig } from '../rig.ts';
import type { Growth, Stock, StockDescription } from '../stock.ts';
import type { System } from '../../e2e/system.ts';
import { measureBackup } from './backup.ts';
import { measureStretch } from './stretch.ts';

const SIZES = [100_000, 1_000_000, 10_000_000];
const GROWTH: Growth = { ingested: 1_000_000 };
const OF_TRIAL = { sizes: [2_000, 4_000], growth: { ingested: 2_000 }, changes: 3_000 };
const LOAD = { connections: 32, perSecond: 200 };
/** As a server has them that was bought for ten million avtaler, and the same for fewer (docs/scaling.md, "The server"). */
const SERVER = { shared_buffers: '6GB', max_wal_size: '16GB', checkpoint_timeout: '30min' };
const PARTITIONS = 6;
const PERSONS = 5_000;
/** in a backlog, at least */
const CHANGES = { full: 100_000, short: 40_000 };

type Values = Record<string, number>;

export interface GrowthOptions {
  /** avtaler; the first is what the others are held against */
  sizes?: number[];
  /** of the avtaler, so many come through the ingestor */
  ingested?: number;
  /** of changes at an even rate, and how many a second */
  stretchSeconds?: number;
  stretchPerSecond?: number;
  /** the largest stock is used itself, and gone afterwards: the disk does not hold it twice */
  takeLargest?: boolean;
}

/** Look-ups, changes that are read in, disk, vacuum and backup, with few avtaler and with many. */
export async function growth(options: RunOptions): Promise<Findings> {
  const { rounds, trial, growth: given = {} } = options;
  const sizes = trial ? OF_TRIAL.sizes : (given.sizes ?? SIZES);
  const form = trial
    ? OF_TRIAL.growth
    : { ...GROWTH, ...(given.ingested === undefined ? {} : { ingested: given.ingested }) };
  const findings = new Findings({
    'avtaler at most through the ingestor': form.ingested,
    's of changes at an even rate': stretchOf(options).seconds,
  });
  const spare = trial || options.short || given.takeLargest ? { spare: 0 } : {};
  // Each size by itself: what disturbs one says nothing of another.
  for (const avtaler of sizes) {
    console.error(`  ${String(avtaler)} avtaler …`);
    const stock = { avtaler, lives: 'whole', growth: form } as const;
    const isTaken = given.takeLargest === true && avtaler === Math.max(...sizes);
    const taken = await takeRounds({ rounds, settle: () => Promise.resolve(), ...spare }, (round) =>
      measureSize(round, stock, options, isTaken),
    );
    findings.add(`${avtaler.toLocaleString('en-US')} avtaler`, taken);
  }
  return findings;
}

function stretchOf({ trial, growth: given = {} }: RunOptions): { seconds: number; perSecond: number } {
  if (trial) return { seconds: 5, perSecond: 100 };
  return { seconds: given.stretchSeconds ?? 900, perSecond: given.stretchPerSecond ?? 500 };
}

/** The statistics of the day are there. Where there were none they are made at once, which reads all avtaler again and again. */
const FIGURES_OF_TODAY = `insert into statistikk_tidspunkt (generasjon, tidspunkt) values (0, now() + interval '1 day')
  on conflict (id) do update set tidspunkt = excluded.tidspunkt`;

/** What look-ups and changes touch, what they touch most last; not what is only appended to. */
const PREWARM = `create extension if not exists pg_prewarm; select pg_prewarm(oid) from (
  select c.oid, coalesce(t.relname, c.relname) = 'avtale' as most from pg_class c
  left join pg_index i on i.indexrelid = c.oid left join pg_class t on t.oid = i.indrelid
  where c.relnamespace = 'public'::regnamespace and (c.relname in ('avtale', 'relasjon')
    or t.relname in ('avtale', 'relasjon', 'avtale_versjon')) order by most, c.oid) touched`;

function measureSize(round: Round, stock: Stock, options: RunOptions, taken: boolean): Promise<Values> {
  const work = async (rig: Rig): Promise<Values> => {
    const system = await rig.createSystem(PARTITIONS);
    try {
      const sizes = await readDisk(system, stock);
      await system.sql(FIGURES_OF_TODAY);
      await system.sql(PREWARM);
      const lookups = await measureLookups(rig, round, system, options);
      const changes = await measureChanges(rig, round, system, stock, options);
      const backup = await measureBackup(rig, stock.avtaler);
      const [row] = await system.sql<{ n: number }>('select count(*)::int as n from avtale');
      if (row?.n !== stock.avtaler) throw new Error('Changes have made avtaler, or lost them');
      return { ...sizes, ...lookups, ...changes, ...backup };
    } finally {
      await system.stop();
    }
  };
  return withRig(stock, work, { taken, settings: SERVER });
}

/** Of a million avtaler, with everything that is about them; by table without its indexes, and by index. */
async function readDisk(system: System, { avtaler }: Stock): Promise<Values> {
  const { tables, indexes } = await readSizes(system.url);
  const [versions] = await system.sql<{ n: number }>('select count(*)::float8 as n from avtale_versjon');
  const all = Object.entries({ ...tables, ...indexes });
  const perMillion = (bytes: number): number => bytes / avtaler;
  const total = all.reduce((sum, [, bytes]) => sum + bytes, 0);
  const named = (prefix: string, sizes: Record<string, number>): [string, number][] =>
    Object.entries(sizes)
      .filter(([, bytes]) => bytes > total / 1_000)
      .map(([name, bytes]) => [`${prefix}.${name}`, perMillion(bytes)]);
  return {
    gigabytesPerMillion: perMillion(total) / 1_000,
    versions: (versions?.n ?? Number.NaN) / avtaler,
    ...Object.fromEntries([...named('table', tables), ...named('index', indexes)]),
  };
}

async function measureLookups(rig: Rig, round: Round, system: System, { seconds }: RunOptions): Promise<Values> {
  // It says that everything is included; else nothing is answered.
  const ingestor = await system.startIngestor();
  const queryApi = await system.startQueryApi({ LOG_LEVEL: 'warn' });
  const target: Target = { url: queryApi.url, headers: await system.as('alt') };
  await waitForAnswer(target);
  const persons = await readPersons(system.url, PERSONS);
  forgetPeak(queryApi.proc.pid);
  const processes = { 'query-api': queryApi.proc.pid, postgres: rig.postgres.proc().pid };
  const values: Values = {};
  for (const operation of ['tiltaksstatus', 'sok'] satisfies Operation[]) {
    const shape = { ...LOAD, requests: createRequests(operation, persons), seconds };
    // Each person once, so that no size is measured on pages that nobody has asked for yet.
    await load(rig, round, target, {
      ...shape,
      connections: 8,
      perSecond: 1_000,
      seconds: Math.min(seconds, PERSONS / 1_000),
    });
    await rig.settle();
    const { result, cpu } = await round.measure(async () => {
      const meter = new CpuMeter(processes);
      const result = await evenLoad(rig, round, target, shape);
      return { result, cpu: meter.read() };
    });
    values[`${operation}.p50`] = result.times.p50;
    values[`${operation}.p99`] = result.times.p99;
    Object.assign(values, cpuPer(result.answers, cpu, `${operation}.cpu.`));
  }
  values['memory.query-api'] = peakMemory(queryApi.proc.pid);
  await Promise.all([ingestor.proc.stop(), queryApi.proc.stop()]);
  return values;
}

/** A backlog of changes, and then changes at an even rate while Postgres vacuums. */
async function measureChanges(
  rig: Rig,
  round: Round,
  system: System,
  stock: Stock,
  options: RunOptions,
): Promise<Values> {
  const { brokers, topic } = system.env;
  const copies = (rig.stock as StockDescription).copies;
  return withProducer(brokers, async (producer) => {
    const publish = (messages: readonly TextMessage[]): Promise<void> =>
      publishAll(producer, { topic, partitions: PARTITIONS }, messages);
    let [count, passes] = [0, 0];
    for (const wanted = changesOf(options); count < wanted; passes++)
      for (const chunk of chunksOf(changesTo(stock, copies, passes), 5_000)) {
        await publish(chunk);
        count += chunk.length;
      }
    await rig.settle();
    const before = await readActivity(system.url, 'avtale_versjon');
    const [backlog, app] = await round.measure(() => readIn(rig, system, count));
    const after = await readActivity(system.url, 'avtale_versjon');
    const stretch = await round.measure(() =>
      measureStretch({ system, publish, ...stretchOf(options) }, (pass) => changesTo(stock, copies, passes + pass)),
    );
    await app.proc.stop();
    return { ...backlog, changed: ((after.inserts - before.inserts) / count) * 100, ...stretch };
  });
}

function changesOf({ trial, short }: RunOptions): number {
  if (trial) return OF_TRIAL.changes;
  return short ? CHANGES.short : CHANGES.full;
}

function* chunksOf<T>(all: Iterable<T>, size: number): Generator<T[]> {
  let chunk: T[] = [];
  for (const one of all) {
    chunk.push(one);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

type Ingestor = Awaited<ReturnType<System['startIngestor']>>;

async function readIn(rig: Rig, system: System, count: number): Promise<[Values, Ingestor]> {
  const app = await system.startIngestor();
  forgetPeak(app.proc.pid);
  const meter = new CpuMeter({ ingestor: app.proc.pid, postgres: rig.postgres.proc().pid });
  const [already, begun] = [await system.ingested(), performance.now()];
  await system.waitForTopic(1_200_000);
  const read = count - already;
  const perSecond = read / ((performance.now() - begun) / 1_000);
  return [{ perSecond, ...cpuPer(read, meter.read()), 'memory.ingestor': peakMemory(app.proc.pid) }, app];
}
