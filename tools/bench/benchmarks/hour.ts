import { setTimeout as wait } from 'node:timers/promises';
import { join } from 'node:path';
import { createDatabase, PostgresGroup, waitUntil } from '@tiltak/testing';
import { createUpdates } from '@tiltak/simulator';
import { System } from '../../e2e/system.ts';
import type { App } from '../../local/apps.ts';
import type { OneAddress } from '../../local/one-address.ts';
import { createRequests, evenFigures, readPersons, waitForAnswer } from '../lookups.ts';
import { latenessOf, takeRounds, type Round } from '../measuring/rounds.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig, type Rig } from '../rig.ts';

const MINUTES = 60;
const AVTALER = 100_000;
const OF_TRIAL = { minutes: 0.5, avtaler: 1_000 };
const LOAD = { connections: 32, perSecond: 200, retries: 3 };
const SLOW_MS = 500;
const PARTITIONS = 6;

/** Look-ups for an hour, through what happens to the system in a year. */
export function hour(options: RunOptions): Promise<Findings> {
  const minutes = options.trial ? OF_TRIAL.minutes : (options.count ?? MINUTES);
  const avtaler = options.trial ? OF_TRIAL.avtaler : AVTALER;
  const findings = new Findings({ minutes, avtaler });
  return withRig({ avtaler, lives: 'whole' }, async (rig) => {
    const taken = await takeRounds({ rounds: 1, settle: () => Promise.resolve(), spare: 0 }, (round) =>
      oneHour(rig, round, minutes),
    );
    findings.add('', taken);
    return findings;
  });
}

async function oneHour(rig: Rig, round: Round, minutes: number): Promise<Record<string, number>> {
  // Its own group goes on with the rig's data.
  await rig.postgres.stop();
  const group = await PostgresGroup.start({
    directory: rig.directory,
    logFile: (name) => join(rig.directory, `${name}.log`),
    standby: true,
  });
  try {
    const database = await createDatabase(group.url, rig.stock?.database ?? '');
    const place = { group, database, partitions: PARTITIONS, brokers: rig.kafka.brokers };
    const system = await System.create(place);
    try {
      const ingestor = await system.startIngestor();
      const { address, apps } = await system.startQueryApis(2, { LOG_LEVEL: 'warn' });
      const target = { url: address.url, headers: await system.as('alt') };
      await waitForAnswer(target);
      const requests = createRequests('tiltaksstatus', await readPersons(system.url, 5_000));
      const seconds = minutes * 60;
      const load = round.measure(() =>
        rig.generator.run('load', { ...LOAD, ...target, requests, seconds, slowMs: SLOW_MS }),
      );
      const events = happen(system, group, { address, apps, ingestor, seconds });
      const [result, promoted] = await Promise.all([load, events]);
      round.troubles.push(...latenessOf(result.lateness));
      const atPromotion = result.slow.filter(({ at, ms }) => at >= promoted.from && at - ms <= promoted.to);
      return {
        ...evenFigures('lookup', result),
        slow: result.slow.length - atPromotion.length,
        slowAtPromotion: atPromotion.length,
        failed: result.failed,
      };
    } finally {
      await system.stop();
    }
  } finally {
    await group.stop();
  }
}

/** One after another, evenly over the time that there is, while changes are read in. @returns when, epoch ms */
async function happen(
  system: System,
  group: PostgresGroup,
  { address, apps, ingestor, seconds }: { address: OneAddress; apps: App[]; ingestor: App; seconds: number },
): Promise<{ from: number; to: number }> {
  const pause = (): Promise<void> => wait((seconds / 7) * 1_000);
  await pause();
  for (const old of apps) await replaceQueryApi(system, address, old);
  await pause();
  const next = await system.startIngestor();
  await ingestor.proc.stop();
  await pause();
  await system.publish([...createUpdates({ count: 20_000 })]);
  await system.waitForTopic(600_000);
  await system.sql('vacuum (analyze) avtale');
  await pause();
  await rebuild(system, next);
  await pause();
  const from = Date.now();
  await group.failOver();
  await waitForAnswer({ url: address.url, headers: await system.as('alt') });
  return { from, to: Date.now() + PROMOTION_MS };
}

/** ms after the first answer that what still waits for the old primary may take */
const PROMOTION_MS = 15_000;

/** As at a release: the new one is ready before the old one is told to stop, and has been taken off the address. */
async function replaceQueryApi(system: System, address: OneAddress, old: App): Promise<void> {
  address.join(await system.startQueryApi({ LOG_LEVEL: 'warn' }));
  address.leave(old);
  await old.proc.stop();
}

async function rebuild(system: System, { url }: App): Promise<void> {
  const call = async (method: string): Promise<Response> =>
    fetch(`${url}/drift/v1/gjenoppbygging`, {
      method,
      headers: { authorization: `Bearer ${await system.tokenForOnDuty()}` },
    });
  const { status } = await call('POST');
  if (status !== 204) throw new Error(`The rebuild answered ${String(status)}`);
  const isDone = async (): Promise<boolean> =>
    ((await (await call('GET')).json()) as { tilstand: string }).tilstand === 'FERDIG';
  await waitUntil(isDone, { what: 'the rebuild', maxMs: 1_200_000, everyMs: 500 });
}
