import { Generator } from '../generator/generator.ts';
import type { LoadResult } from '../generator/load.ts';
import { createRequests, evenLoad, readPersons, waitForAnswer, type EvenShape, type Target } from '../lookups.ts';
import { CpuMeter, cpuPer, forgetPeak, peakMemory, type Processes } from '../measuring/machine.ts';
import { takeRounds, type Round } from '../measuring/rounds.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig, type Rig } from '../rig.ts';
import type { ReadResult } from '../generator/tasks.ts';

const AVTALER = 1_000_000;
const OF_SHORT = 100_000;
const OF_TRIAL = 1_000;
const COPY = 'copy (select * from avtale_synlig) to stdout';
const LOAD = { connections: 32, perSecond: 200 };

/** All avtaler over HTTP, against the limit: the same rows by COPY, not looked at; and look-ups beside it. */
export function exportBench(options: RunOptions): Promise<Findings> {
  const avtaler = options.count ?? (options.trial ? OF_TRIAL : options.short ? OF_SHORT : AVTALER);
  const findings = new Findings({ avtaler });
  // A short run has the stock that the look-ups have; a million whole lives would take an hour to make.
  return withRig({ avtaler, lives: options.short ? 'whole' : 'last' }, async (rig) => {
    const system = await rig.createSystem(1);
    try {
      const app = await system.startQueryApi({ LOG_LEVEL: 'warn' });
      const exported: Exported = {
        pid: app.proc.pid,
        target: { url: app.url, headers: await system.as('alt') },
        url: system.url,
      };
      await waitForAnswer(exported.target);
      const requests = createRequests('tiltaksstatus', await readPersons(system.url, 5_000));
      const taken = await takeRounds(rig.rounds(options), async (round) => ({
        ...(await againstCopy(rig, round, exported, options)),
        ...(await besideLookups(rig, round, exported, { ...LOAD, requests, seconds: options.seconds })),
      }));
      findings.add('', taken);
      return findings;
    } finally {
      await system.stop();
    }
  });
}

interface Exported {
  pid: number;
  target: Target;
  /** of the database, as superuser */
  url: string;
}

async function againstCopy(
  rig: Rig,
  round: Round,
  { pid, target, url }: Exported,
  { rateSeconds: seconds }: RunOptions,
): Promise<Record<string, number>> {
  const postgres = rig.postgres.proc().pid;
  forgetPeak(pid);
  const both = await round.pair(
    () => metered({ 'query-api': pid, postgres }, () => rig.generator.run('readExport', { ...target, seconds })),
    () => metered({ postgres }, () => rig.generator.run('copyOut', { url, sql: COPY, seconds })),
  );
  const [ours, theirs] = [both.system.read, both.limit.read];
  if (ours.lines / ours.times !== theirs.lines / theirs.times) throw new Error('They do not read as many avtaler');
  const [perSecond, limit] = [ours.lines / ours.seconds, theirs.lines / theirs.seconds];
  return {
    perSecond,
    'limit.perSecond': limit,
    ratio: perSecond / limit,
    ...cpuPer(ours.lines, both.system.cpu),
    ...cpuPer(theirs.lines, both.limit.cpu, 'limit.cpu.'),
    memory: peakMemory(pid),
  };
}

async function metered(
  processes: Processes,
  work: () => Promise<ReadResult>,
): Promise<{ read: ReadResult; cpu: Record<string, number> }> {
  const meter = new CpuMeter(processes);
  const read = await work();
  return { read, cpu: meter.read() };
}

async function besideLookups(
  rig: Rig,
  round: Round,
  { target }: Exported,
  shape: EvenShape,
): Promise<Record<string, number>> {
  const withExport = async (): Promise<LoadResult> => {
    // Another process: what reads an export has its hands full, and would be late with the look-ups.
    const reader = Generator.start();
    try {
      // For as long as there are look-ups, and a little longer: these begin with some that are not measured.
      const exporting = reader.run('readExport', { ...target, seconds: shape.seconds + 3 });
      const result = await evenLoad(rig, round, target, shape);
      await exporting;
      return result;
    } finally {
      await reader.stop();
    }
  };
  const both = await round.pair(withExport, () => evenLoad(rig, round, target, shape));
  const [beside, alone] = [both.system.times.p99, both.limit.times.p99];
  return { 'alone.p99': alone, 'beside.p99': beside, 'beside.ratio': beside / alone };
}
