import fc from 'fast-check';
import { conditionsBetween, cpuOfTree, disturbancesOf, parseStat, readSettled, type MachineSample } from './machine.ts';
import { latenessOf, takeRounds } from './rounds.ts';
import { writtenBytes } from './settle.ts';
import { percentile, stallsIn, timesOf } from './statistics.ts';

const settle = (): Promise<void> => Promise.resolve();

describe('times', () => {
  test('a percentile is one of the values, and at least that share is no larger', () => {
    const shares = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1 }), shares, (values, share) => {
        const value = percentile(values, share);
        const upTo = (limit: number): number => values.filter((other) => other <= limit).length / values.length;
        expect(values).toContain(value);
        expect(upTo(value)).toBeGreaterThanOrEqual(share);
        expect(upTo(value - 1)).toBeLessThan(share);
      }),
    );
    expect(percentile([], 0.99)).toBeNaN();
  });

  test('slow answers that waited at the same time are one stall', () => {
    const spans = [
      { from: 0, to: 50 },
      { from: 10, to: 300 },
      { from: 150, to: 290 },
      { from: 299, to: 420 },
      { from: 900, to: 1_001 },
      { from: 1_002, to: 1_102 },
    ];
    expect(stallsIn(spans)).toBe(2);
    expect(timesOf(spans)).toEqual({ p50: 101, p90: 290, p95: 290, p99: 290, max: 290, stalls: 2 });
  });
});

describe('CPU', () => {
  const stat = (pid: number, parent: number, ticks: [number, number, number, number]): string =>
    `${String(pid)} (postgres: a) (b) S ${String(parent)} 1 1 0 -1 4194560 1 2 3 4 ${ticks.join(' ')} 20 0 1 0 100 200 300`;

  test('of a process is that of all it has started, and of those that have ended', () => {
    const lines = [
      stat(10, 1, [1, 2, 30, 40]),
      stat(11, 10, [5, 0, 0, 0]),
      stat(12, 11, [7, 0, 0, 1]),
      stat(20, 1, [90, 90, 0, 0]),
    ];
    const table = new Map(lines.map((line) => [Number.parseInt(line, 10), parseStat(line)]));
    expect(cpuOfTree(table, 10)).toBe((1 + 2 + 30 + 40 + 5 + 7 + 1) * 10_000);
    expect(cpuOfTree(table, 99)).toBe(0);
  });

  test('of what ends while it is read is not missed', () => {
    const parent = (ended: number): [number, ReturnType<typeof parseStat>] => [10, { parent: 1, own: 1, ended }];
    const child: [number, ReturnType<typeof parseStat>] = [11, { parent: 10, own: 500, ended: 0 }];
    // The child was gone when its line was to be read, and its parent had been read before.
    const reads = [new Map([parent(0)]), new Map([parent(500)]), new Map([parent(500)])];
    expect(
      cpuOfTree(
        readSettled([10], () => reads.shift() ?? new Map()),
        10,
      ),
    ).toBe(501);
    expect(
      cpuOfTree(
        readSettled([10], () => new Map([parent(0), child])),
        10,
      ),
    ).toBe(501);
  });

  const sample = (more: Partial<MachineSample>): MachineSample => ({
    at: 0,
    busy: 0,
    steal: 0,
    ours: 0,
    pressure: undefined,
    ...more,
  });

  test.each([
    ['alone, with both cores in use', { busy: 19_000_000, ours: 18_900_000 }, []],
    ['somebody else used a third of a core', { busy: 19_000_000, ours: 15_600_000 }, ['others used 0.34 cores']],
    [
      'another machine took its share',
      { busy: 9_000_000, ours: 9_000_000, steal: 1_000_000 },
      ['0.10 cores were taken from outside'],
    ],
  ])('%s', (_, more, disturbances) => {
    const conditions = conditionsBetween(sample({}), sample({ at: 10_000, ...more }));
    expect(disturbancesOf(conditions)).toEqual(disturbances);
  });

  test('how long somebody waited for a core is told where the kernel does', () => {
    const [from, to] = [sample({ pressure: 1_000_000 }), sample({ at: 10_000, pressure: 6_000_000 })];
    expect(conditionsBetween(from, to)).toEqual({ seconds: 10, others: 0, steal: 0, pressure: 0.5 });
  });
});

describe('rounds', () => {
  const tell = (): void => undefined;

  test('system and limit take turns at being first', async () => {
    const order: string[] = [];
    const note = (name: string) => async () => Promise.resolve(void order.push(name));
    await takeRounds({ rounds: 4, settle }, (round) => pairWithoutTroubles(round, note('A'), note('B')));
    expect(order.join('')).toBe('ABBAABBA');
  });

  test('the machine is settled before each measurement', async () => {
    const steps: string[] = [];
    const options = { rounds: 1, settle: () => Promise.resolve(void steps.push('settled')) };
    await takeRounds(options, async (round) => {
      await pairWithoutTroubles(
        round,
        () => Promise.resolve(void steps.push('A')),
        () => Promise.resolve(void steps.push('B')),
      );
    });
    expect(steps).toEqual(['settled', 'A', 'settled', 'B']);
  });

  test('what was disturbed is taken again, and told of when it was so again and again', async () => {
    let attempts = 0;
    const once = await takeRounds({ rounds: 3, settle, tell }, (round) => {
      if (attempts++ === 1) round.troubles.push('noise');
      return Promise.resolve(attempts);
    });
    expect(once).toMatchObject({ values: [1, 3, 4], troubles: [], thrownAway: 1 });
    const always = await takeRounds({ rounds: 3, settle, tell }, (round) => {
      round.troubles.push('noise');
      return Promise.resolve(0);
    });
    expect(always.thrownAway).toBe(2);
    expect(always.troubles).toEqual(['round 1: noise', 'round 2: noise', 'round 3: noise']);
  });

  test('a load that waited for its own generator is no even load', () => {
    expect(latenessOf({ p99: 2, max: 20 })).toEqual([]);
    expect(latenessOf({ p99: 12, max: 20 })).toHaveLength(1);
    expect(latenessOf({ p99: 2, max: 200 })).toHaveLength(1);
  });

  /** This machine may be in use by others: not what is tested here. */
  async function pairWithoutTroubles(
    round: Parameters<Parameters<typeof takeRounds>[1]>[0],
    system: () => Promise<unknown>,
    limit: () => Promise<unknown>,
  ): Promise<void> {
    await round.pair(system, limit);
    round.troubles.length = 0;
  }
});

test('what is written to disk is counted in bytes, over all devices', () => {
  const lines = ['   8       0 sda 1 2 3 4 5 6 100 8 0 1 2', ' 254       0 vda 1 2 3 4 5 6 11 8 0 1 2'];
  expect(writtenBytes(`${lines.join('\n')}\n`)).toBe(111 * 512);
});
