import { setTimeout as wait } from 'node:timers/promises';
import { waitUntil } from '@tiltak/testing';
import { register } from 'prom-client';
import { measureEventLoop } from './event-loop.ts';

async function longest(): Promise<number> {
  const text = await register.getSingleMetricAsString('event_loop_delay_sekunder');
  return Number(/kvantil="1"\} (\S+)/.exec(text)?.[1]);
}

test('what kept everybody waiting is told of, to each that reads the metrics', async () => {
  measureEventLoop();
  // The first look is what the next is measured from.
  await wait(50);
  const until = performance.now() + 300;
  while (performance.now() < until);
  // What samples the delay may come late itself on a busy machine.
  const first = await waitUntil(
    async () => {
      const told = await longest();
      return told > 0.25 && told;
    },
    { what: 'the delay to be told of' },
  );
  const second = await longest();
  expect(first).toBeGreaterThan(0.25);
  expect(second).toBeGreaterThanOrEqual(first);
});
