import { setTimeout as wait } from 'node:timers/promises';
import { register } from 'prom-client';
import { startJob } from './background-job.ts';
import { logger } from './logger.ts';

beforeAll(() => {
  logger.level = 'silent';
});

test('rounds do not overlap, a failed one is counted and followed by another, and a done one is the last', async () => {
  let rounds = 0;
  let running = 0;
  let most = 0;
  const ended = new Promise<void>((end) => {
    startJob({
      name: 'spec',
      everyMs: 1,
      run: async () => {
        most = Math.max(most, ++running);
        await wait(2);
        running--;
        if (++rounds === 2) throw new Error('once');
        if (rounds < 4) return undefined;
        end();
        return 'done';
      },
    });
  });
  await ended;
  await wait(20);
  expect([rounds, most]).toEqual([4, 1]);
  expect(await register.getSingleMetricAsString('jobb_feil_total')).toContain('jobb_feil_total{jobb="spec"} 1');
});

test('stopping waits for the round under way, and not for the pause after it', async () => {
  let ended = false;
  const job = startJob({
    name: 'spec',
    everyMs: 60_000,
    run: async (signal) => {
      await wait(60_000, undefined, { signal }).catch(() => undefined);
      ended = true;
    },
  });
  await job.stop();
  expect(ended).toBe(true);
});

test('a round that does not end is left after the time given', async () => {
  let release: () => void = () => undefined;
  const job = startJob({ name: 'spec', everyMs: 1, run: () => new Promise<void>((done) => (release = done)) });
  await job.stop(10);
  release();
});
