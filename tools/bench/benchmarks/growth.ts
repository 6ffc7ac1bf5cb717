import { createRequests, evenFigures, evenLoad, readPersons, waitForAnswer } from '../lookups.ts';
import { CpuMeter, cpuPer, forgetPeak, peakMemory } from '../measuring/machine.ts';
import { takeRounds, type Round, type TakenRounds } from '../measuring/rounds.ts';
import { publishAll, withProducer } from '../publish.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig } from '../rig.ts';
import { changesTo, type Stock } from '../stock.ts';

const FEW = 100_000;
const MANY = 1_000_000;
const OF_TRIAL = { few: 1_000, many: 2_000 };
const LOAD = { connections: 32, perSecond: 500 };
const PARTITIONS = 6;

type Size = 'few' | 'many';
type Values = Record<string, number>;

/** Look-ups, and changes that are read in, with few avtaler and with many. */
export async function growth(options: RunOptions): Promise<Findings> {
  const sizes = options.trial ? OF_TRIAL : { few: FEW, many: options.count ?? MANY };
  const findings = new Findings({ 'avtaler (few)': sizes.few, 'avtaler (many)': sizes.many });
  const taken = await takeRounds(
    { rounds: options.rounds, settle: () => Promise.resolve(), ...(options.trial ? { spare: 0 } : {}) },
    async (round) => {
      const both: Partial<Record<Size, Values>> = {};
      // The other way around in every other round, as system and limit are.
      for (const size of round.nr % 2 === 0 ? (['few', 'many'] as const) : (['many', 'few'] as const))
        both[size] = await measureSize(round, { avtaler: sizes[size], lives: 'whole' }, options);
      const { few = {}, many = {} } = both;
      return { few, many };
    },
  );
  const only = (of: (value: { few: Values; many: Values }) => Values): TakenRounds<Values> => ({
    ...taken,
    conditions: [],
    thrownAway: 0,
    values: taken.values.map(of),
  });
  findings.add(
    'few',
    only(({ few }) => few),
  );
  findings.add('many', { ...only(({ many }) => many), conditions: taken.conditions });
  findings.add('many, of few', { ...only(ratios), thrownAway: taken.thrownAway });
  return findings;
}

function ratios({ few, many }: { few: Values; many: Values }): Values {
  const of = (name: string): number => (many[name] ?? Number.NaN) / (few[name] ?? Number.NaN);
  return { 'lookup.ratio': of('lookup.p99'), 'perSecond.ratio': of('perSecond'), 'memory.ratio': of('memory') };
}

function measureSize(round: Round, stock: Stock, { seconds }: RunOptions): Promise<Values> {
  return withRig(stock, async (rig) => {
    const system = await rig.createSystem(PARTITIONS);
    try {
      const [size] = await system.sql<{ bytes: number }>(
        'select pg_database_size(current_database())::float8 as bytes',
      );
      const first = await system.startIngestor();
      const { url } = await system.startQueryApi({ LOG_LEVEL: 'warn' });
      const target = { url, headers: await system.as('alt') };
      await waitForAnswer(target);
      const shape = { ...LOAD, requests: createRequests('sok', await readPersons(system.url, 5_000)), seconds };
      await rig.settle();
      const lookups = await round.measure(() => evenLoad(rig, round, target, shape));
      await first.proc.stop();
      const changes = changesTo(stock);
      const { brokers, topic } = system.env;
      await withProducer(brokers, (producer) => publishAll(producer, { topic, partitions: PARTITIONS }, changes));
      await rig.settle();
      const ingested = await round.measure(async () => {
        const app = await system.startIngestor();
        forgetPeak(app.proc.pid);
        const meter = new CpuMeter({ ingestor: app.proc.pid, postgres: rig.postgres.proc().pid });
        const [already, begun] = [await system.ingested(), performance.now()];
        await system.waitForTopic(1_200_000);
        const count = changes.length - already;
        const perSecond = count / ((performance.now() - begun) / 1_000);
        return { perSecond, ...cpuPer(count, meter.read()), memory: peakMemory(app.proc.pid) };
      });
      const [row] = await system.sql<{ n: number }>('select count(*)::int as n from avtale');
      if (row?.n !== stock.avtaler) throw new Error('Changes have made avtaler, or lost them');
      return {
        ...evenFigures('lookup', lookups),
        ...ingested,
        gigabytesPerMillion: (size?.bytes ?? Number.NaN) / stock.avtaler / 1_000,
      };
    } finally {
      await system.stop();
    }
  });
}
