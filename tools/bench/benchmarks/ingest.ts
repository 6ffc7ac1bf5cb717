import { createEvents, createUpdates } from '@tiltak/simulator';
import { System } from '../../e2e/system.ts';
import { copyParts, readRows, requireSameRows, type CopiedRows } from '../limits/copied-rows.ts';
import { CpuMeter, cpuPer, forgetPeak, peakMemory } from '../measuring/machine.ts';
import { takeRounds, type Round } from '../measuring/rounds.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig, type Rig } from '../rig.ts';

const MESSAGES = 100_000;
const OF_TRIAL = 20_000;

interface Ingested {
  perSecond: number;
  cpu: Record<string, number>;
  memory: number;
}

/** A backlog until all of it is stored; and one process that COPYs the same rows. */
export function ingest(options: RunOptions): Promise<Findings> {
  const messages = options.count ?? (options.trial ? OF_TRIAL : MESSAGES);
  return withRig(undefined, async (rig) => {
    const findings = new Findings({ messages });
    // What the limit writes is what the system stored in the first round, where it goes first.
    let rows: CopiedRows | undefined;
    const taken = await takeRounds(rig.rounds(options), async (round) => {
      const { system, limit } = await pairOf(
        rig,
        round,
        messages,
        async (url) => (rows ??= await readRows(url, messages)),
      );
      return compared(system, limit, messages);
    });
    findings.add('', taken);
    return findings;
  });
}

async function pairOf(
  rig: Rig,
  round: Round,
  messages: number,
  rowsOf: (url: string) => Promise<CopiedRows>,
): Promise<{ system: Ingested; limit: Copied }> {
  const system = await rig.createSystem();
  const limit = await System.create({ partitions: 1, postgres: rig.postgres.url, brokers: rig.kafka.brokers });
  try {
    await system.publish([...createEvents({ count: messages })]);
    const both = await round.pair(
      () => readIn(rig, system, { messages, before: 0 }),
      async () => copyRows(rig, await rowsOf(system.url), limit.url, messages),
    );
    await system.checkCount();
    await requireSameRows(await rowsOf(system.url), limit.url);
    return both;
  } finally {
    await Promise.all([system.stop(), limit.stop()]);
  }
}

function compared(ours: Ingested, theirs: Copied, messages: number): Record<string, number> {
  const limitCpu = cpuPer(messages, theirs.cpu, 'limit.cpu.');
  const sum = (of: Record<string, number>, ...names: string[]): number =>
    names.reduce((total, name) => total + (of[name] ?? 0), 0);
  return {
    perSecond: ours.perSecond,
    ...ours.cpu,
    memory: ours.memory,
    'limit.perSecond': theirs.perSecond,
    ratio: ours.perSecond / theirs.perSecond,
    ...limitCpu,
    cpuRatio: sum(ours.cpu, 'cpu.ingestor', 'cpu.postgres') / sum(limitCpu, 'limit.cpu.limit', 'limit.cpu.postgres'),
  };
}

interface Copied {
  perSecond: number;
  cpu: Record<string, number>;
}

async function copyRows(rig: Rig, rows: CopiedRows, url: string, messages: number): Promise<Copied> {
  const meter = new CpuMeter({ limit: process.pid, postgres: rig.postgres.proc().pid });
  const own = process.cpuUsage();
  const seconds = await copyParts(url, rows);
  const { user, system } = process.cpuUsage(own);
  // Of this process alone: everything else that takes part is started by it.
  return { perSecond: messages / seconds, cpu: { ...meter.read(), limit: user + system } };
}

/** From the first message that is stored until all are; the start of the process is not counted, nor its memory then. */
async function readIn(
  rig: Rig,
  system: System,
  { messages, before }: { messages: number; before: number },
): Promise<Ingested> {
  const app = await system.startIngestor();
  forgetPeak(app.proc.pid);
  const meter = new CpuMeter({
    ingestor: app.proc.pid,
    postgres: rig.postgres.proc().pid,
    kafka: rig.kafka.proc().pid,
  });
  const already = (await system.ingested()) - before;
  const perSecond = await system.measureIngest(messages + before, before);
  const cpu = cpuPer(messages - already, meter.read());
  const memory = peakMemory(app.proc.pid);
  await app.proc.stop();
  return { perSecond, cpu, memory };
}

/** The same avtaler changed again, against the rate at which they were new. */
export function ingestUpdates(options: RunOptions): Promise<Findings> {
  const messages = options.count ?? (options.trial ? OF_TRIAL : MESSAGES);
  return withRig(undefined, async (rig) => {
    const findings = new Findings({ messages });
    const taken = await takeRounds(rig.rounds(options), async (round) => {
      const system = await rig.createSystem();
      try {
        await system.publish([...createEvents({ count: messages })]);
        const inserted = await round.measure(() => readIn(rig, system, { messages, before: 0 }));
        await system.publish([...createUpdates({ count: messages })]);
        const updated = await round.measure(() => readIn(rig, system, { messages, before: messages }));
        await system.checkCount();
        return {
          perSecond: updated.perSecond,
          'insert.perSecond': inserted.perSecond,
          ratio: updated.perSecond / inserted.perSecond,
          ...updated.cpu,
        };
      } finally {
        await system.stop();
      }
    });
    findings.add('', taken);
    return findings;
  });
}
