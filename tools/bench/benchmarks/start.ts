import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, ROOT, startProcess, waitUntil } from '@tiltak/testing';
import { environmentWith } from '../../local/options.ts';
import type { App } from '../../local/apps.ts';
import { removeStale, readReady } from '../../local/ready-file.ts';
import { CpuMeter } from '../measuring/machine.ts';
import { takeRounds } from '../measuring/rounds.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig, type Rig } from '../rig.ts';

const PORTS = ['KAFKA_PORT', 'ISSUER_PORT', 'POSTGRES_PORT', 'QUERY_API_PORT', 'INGESTOR_PORT', 'REVISOR_PORT'];

/** From the start of a process until it says that it is ready: each app, and the local stack with sample data. */
export function start(options: RunOptions): Promise<Findings> {
  removeStale();
  if (readReady()) throw new Error('The local stack is running: stop it first.');
  const findings = new Findings({});
  return withRig(undefined, async (rig) => {
    // Once before anything is measured: what is read from disk lies in memory, and the build in its cache.
    await startStack(rig);
    const taken = await takeRounds(rig.rounds(options), async (round) => {
      const apps = await round.measure(() => startApps(rig));
      return { ...apps, stack: await round.measure(() => startStack(rig)) };
    });
    findings.add('', taken);
    return findings;
  });
}

async function startApps(rig: Rig): Promise<Record<string, number>> {
  const system = await rig.createSystem(3);
  try {
    // The query-api is ready when there is something to answer from.
    const ingestor = await timed(() => system.startIngestor());
    const [row] = await system.sql<{ n: number }>('select count(*)::int as n from konsum_status');
    if (row === undefined) throw new Error('The database is not set up');
    const queryApi = await timed(() => system.startQueryApi());
    return {
      ingestor: ingestor.seconds,
      'cpu.ingestor': ingestor.cpu,
      'query-api': queryApi.seconds,
      'cpu.query-api': queryApi.cpu,
    };
  } finally {
    await system.stop();
  }
}

/** Until it is ready, to a tenth of a second; and seconds of CPU. */
async function timed(startApp: () => Promise<App>): Promise<{ seconds: number; cpu: number }> {
  const begun = performance.now();
  const { proc } = await startApp();
  const seconds = (performance.now() - begun) / 1_000;
  // Of a process that was started now: everything that it has used.
  const micros = CpuMeter.since(proc.pid);
  return { seconds, cpu: micros / 1e6 };
}

async function startStack(rig: Rig): Promise<number> {
  const logFile = join(rig.directory, `stack-${String(performance.now())}.log`);
  const ports: Record<string, string> = {};
  for (const name of PORTS) ports[name] = String(await freePort());
  const begun = performance.now();
  const stack = startProcess(
    process.execPath,
    [join(ROOT, 'tools', 'run.mjs'), join('tools', 'local', 'start.ts')],
    logFile,
    {
      cwd: ROOT,
      env: environmentWith(ports),
    },
  );
  try {
    await waitUntil(
      () => {
        const said = readFileSync(logFile, 'utf8');
        if (stack.ended()) throw new Error(`The stack ended:\n${said}`);
        return said.includes('\nReady.');
      },
      { what: 'the stack', maxMs: 600_000, everyMs: 20 },
    );
    return (performance.now() - begun) / 1_000;
  } finally {
    await stack.stop(60_000);
  }
}
