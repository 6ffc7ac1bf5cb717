import { join } from 'node:path';
import { freePort, ROOT, startProcess, waitUntil } from '@tiltak/testing';
import { APP_ENV } from '../../local/options.ts';
import {
  createRequests,
  evenFigures,
  evenLoad,
  load,
  readPersons,
  requireSameAnswers,
  waitForAnswer,
  type LoadShape,
  type Operation,
  type Target,
} from '../lookups.ts';
import { cpuPer, type Processes } from '../measuring/machine.ts';
import { takeRounds, type Round } from '../measuring/rounds.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig, type Rig } from '../rig.ts';

const AVTALER = 100_000;
const PERSONS = 5_000;
const POOL_SIZE = '10';
/** of the answers of both that are compared before anything is measured */
const COMPARED = 300;

interface Contestant {
  target: Target;
  processes: Processes;
}

/** Look-ups of one person on few and many connections, against the limit; then evenly spaced. */
export function query(options: RunOptions): Promise<Findings> {
  const avtaler = options.count ?? AVTALER;
  return withContest(avtaler, async (rig, { system, limit, persons }) => {
    const findings = new Findings({ avtaler });
    for (const operation of ['tiltaksstatus', 'sok'] satisfies Operation[]) {
      const requests = createRequests(operation, persons);
      await requireSameAnswers(system.target, limit.target, requests.slice(0, COMPARED));
      for (const connections of [32, 256]) {
        const shape = { requests, connections, seconds: options.rateSeconds };
        const taken = await takeRounds(rig.rounds(options), (round) =>
          oneRound(rig, round, { system, limit }, { ...shape, evenSeconds: options.seconds }),
        );
        findings.add(`${operation}, ${String(connections)} connections`, taken);
      }
    }
    return findings;
  });
}

async function oneRound(
  rig: Rig,
  round: Round,
  { system, limit }: { system: Contestant; limit: Contestant },
  { evenSeconds, ...shape }: LoadShape & { evenSeconds: number },
): Promise<Record<string, number>> {
  const both = await round.pair(
    () => load(rig, round, system.target, shape, system.processes),
    () => load(rig, round, limit.target, shape, limit.processes),
  );
  const [ours, theirs] = [both.system, both.limit];
  const cpu = cpuPer(ours.load.answers, ours.cpu);
  const limitCpu = cpuPer(theirs.load.answers, theirs.cpu, 'limit.cpu.');
  const even = await round.measure(() =>
    evenLoad(rig, round, system.target, {
      ...shape,
      seconds: evenSeconds,
      perSecond: ours.load.perSecond * 0.7,
    }),
  );
  return {
    perSecond: ours.load.perSecond,
    'limit.perSecond': theirs.load.perSecond,
    ratio: ours.load.perSecond / theirs.load.perSecond,
    ...cpu,
    ...limitCpu,
    cpuRatio:
      ((limitCpu['limit.cpu.limit'] ?? 0) + (limitCpu['limit.cpu.postgres'] ?? 0)) /
      ((cpu['cpu.query-api'] ?? 0) + (cpu['cpu.postgres'] ?? 0)),
    ...evenFigures('even', even),
  };
}

/** A thousand persons in a call, against one. */
export function queryBulk(options: RunOptions): Promise<Findings> {
  const avtaler = options.count ?? AVTALER;
  const perCall = 1_000;
  return withContest(avtaler, async (rig, { system, limit, persons }) => {
    const findings = new Findings({ avtaler });
    const single = createRequests('tiltaksstatus', persons);
    const many = createRequests('tiltaksstatus', persons, perCall);
    await requireSameAnswers(system.target, limit.target, many.slice(0, 2));
    const { rateSeconds: seconds } = options;
    const taken = await takeRounds(rig.rounds(options), async (round) => {
      // Both are of the system: the one is what the other is compared with.
      const both = await round.pair(
        () => load(rig, round, system.target, { requests: many, connections: 8, seconds }, system.processes),
        () => load(rig, round, system.target, { requests: single, connections: 32, seconds }),
      );
      const perSecond = both.system.load.perSecond * perCall;
      return {
        personsPerSecond: perSecond,
        'single.personsPerSecond': both.limit.load.perSecond,
        ratio: perSecond / both.limit.load.perSecond,
        ...cpuPer(both.system.load.answers * perCall, both.system.cpu),
      };
    });
    findings.add('', taken);
    return findings;
  });
}

interface Contest {
  system: Contestant;
  limit: Contestant;
  persons: string[];
}

/** The query-api and its limit beside each other, on the same filled database; nothing is ingested meanwhile. */
function withContest<T>(avtaler: number, work: (rig: Rig, contest: Contest) => Promise<T>): Promise<T> {
  return withRig({ avtaler, lives: 'whole' }, async (rig) => {
    const system = await rig.createSystem(1);
    const port = await freePort();
    const app = await system.startQueryApi({ DB_POOL_SIZE: POOL_SIZE, LOG_LEVEL: 'warn' });
    const bare = startProcess(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(ROOT, 'tools', 'bench', 'limit-server.ts')],
      join(rig.directory, 'limit.log'),
      { env: { ...APP_ENV, PORT: String(port), DATABASE_URL: system.url, POOL_SIZE } },
    );
    try {
      const limit = { url: `http://127.0.0.1:${String(port)}`, headers: { 'content-type': 'application/json' } };
      const isReady = (): Promise<boolean> =>
        fetch(`${limit.url}/internal/isready`).then(
          ({ ok }) => ok,
          () => false,
        );
      await waitUntil(isReady, { what: 'the limit' });
      const api = { url: app.url, headers: await system.as('alt') };
      await waitForAnswer(api);
      const postgres = rig.postgres.proc().pid;
      return await work(rig, {
        system: { target: api, processes: { 'query-api': app.proc.pid, postgres } },
        limit: { target: limit, processes: { limit: bare.pid, postgres } },
        persons: await readPersons(system.url, PERSONS),
      });
    } finally {
      await bare.stop();
      await system.stop();
    }
  });
}
