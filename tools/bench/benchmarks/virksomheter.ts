import { join } from 'node:path';
import { Register, startRegisterServer, type RegisterServer } from '@tiltak/simulator';
import { createTestTopic, waitUntil } from '@tiltak/testing';
import type { AdapterReport, AdapterTask } from '../../e2e/register-adapter.ts';
import { deviationsOf, type AnsweredUnit } from '../../e2e/register-oracle.ts';
import { startRegisterAdapter } from '../../e2e/register-run.ts';
import type { System } from '../../e2e/system.ts';
import { AdapterApi } from '../../reference-adapter/api.ts';
import { CpuMeter, cpuPer, forgetPeak, peakMemory } from '../measuring/machine.ts';
import { takeRounds, type Round } from '../measuring/rounds.ts';
import { Findings, type RunOptions } from '../results.ts';
import { withRig, type Rig } from '../rig.ts';
import { withClient } from '../servers.ts';
import { ADAPTER_CONTRACT } from './sync.ts';

const SIZES = [100_000, 1_000_000];
const OF_TRIAL = [3_000];
const PARTITIONS = 3;
const PAGE_SIZE = 2_000;
/** Units that are gone without a word: of so many one. */
const ONE_GONE_IN = 10;
/** Less than what is gone: it must be confirmed. */
const MAX_PERCENT = 5;
/** A day of the register, at most; of few units fewer. */
const CHANGES = 5_000;
const ONE_CHANGED_IN = 20;
const DAY_MS = 86_400_000;

type Values = Record<string, number>;

/** The national register through the reference adapter: all of it, again, without some, and a day's changes. */
export async function virksomheter(options: RunOptions): Promise<Findings> {
  const { rounds, trial, count, growth: { sizes: given } = {} } = options;
  const sizes = given ?? (count === undefined ? (trial ? OF_TRIAL : SIZES) : [count]);
  const findings = new Findings({ 'changes of a day': CHANGES });
  for (const units of sizes) {
    console.error(`  ${String(units)} units …`);
    const taken = await withRig(undefined, (rig) =>
      takeRounds({ ...rig.rounds(options), rounds, spare: 0 }, (round) => measureSize(rig, round, units)),
    );
    findings.add(`${units.toLocaleString('en-US')} units`, taken);
  }
  return findings;
}

async function measureSize(rig: Rig, round: Round, units: number): Promise<Values> {
  const register = new Register({ count: units });
  const server = await startRegisterServer(register, rig.directory);
  const topic = await createTestTopic({ partitions: PARTITIONS, brokers: rig.kafka.brokers });
  const system = await rig.createSystem(1);
  try {
    system.env.virksomhetTopic = topic.topic;
    const app = await system.startIngestor({ ADAPTER_MAKS_SLETTES_PROSENT: String(MAX_PERCENT) });
    const api = new AdapterApi(app.url, () => system.tokenForAdapter());
    await api.settKontrakt({ ...ADAPTER_CONTRACT, ressurser: ['virksomheter'] });
    const pid = app.proc.pid;
    const copy = join(rig.directory, `register-${String(units)}-${String(round.nr)}.sqlite`);
    const days = { rig, round, register, server, system, ingestor: app.url, pid, copy };
    const first = await measureFirst(days);
    const day = await measureDay(days);
    const again = await measure(days, 'again', 'full');
    await check(days);
    return { ...first, ...day, ...again, ...(await measureGone(days)) };
  } finally {
    await system.stop();
    await Promise.all([server.stop(), topic.remove()]);
  }
}

interface Days {
  rig: Rig;
  round: Round;
  register: Register;
  server: RegisterServer;
  system: System;
  ingestor: string;
  /** of the ingestor */
  pid: number;
  /** the adapter's file */
  copy: string;
}

async function measureFirst(days: Days): Promise<Values> {
  await days.server.makeFiles();
  const read = await measure(days, 'read', 'read');
  const first = await measure(days, 'first', 'send');
  await check(days);
  return { ...read, ...first };
}

/** Some are in no file any more: what would be deleted waits, and is then confirmed. */
async function measureGone(days: Days): Promise<Values> {
  const { register, server, system } = days;
  const gone = Math.floor(register.size / ONE_GONE_IN);
  register.lose(gone);
  register.now += DAY_MS;
  await server.makeFiles();
  // The day before had some that the register itself told to be removed.
  const before = await countDeleted(system);
  const waits = await measure(days, 'gone', 'full', { isDone: false });
  if ((await countDeleted(system)) !== before) throw new Error('What nobody has confirmed is deleted');
  const deleted = await measure(days, 'deleted', 'full', { confirm: true, units: gone });
  await check(days);
  return { ...waits, ...deleted };
}

async function countDeleted(system: System): Promise<number | undefined> {
  const [row] = await system.sql<{ n: number }>('select count(*)::int as n from virksomhet where slettet is not null');
  return row?.n;
}

async function measureDay(days: Days): Promise<Values> {
  const { register } = days;
  const changes = Math.min(CHANGES, Math.floor(register.size / ONE_CHANGED_IN));
  register.change(changes, DAY_MS / changes);
  const day = await measure(days, 'day', 'delta', { units: changes });
  await check(days);
  return day;
}

/** One run of the adapter, until what it sent is stored. */
async function measure(
  { rig, round, register, server, system, ingestor, pid, copy }: Days,
  name: string,
  what: AdapterTask['what'],
  { confirm = false, isDone = true, units = register.size } = {},
): Promise<Values> {
  const token = await system.tokenForAdapter();
  const task = { what, ingestor, token, register: server.url, copy, pageSize: PAGE_SIZE, confirm };
  const processes = { ingestor: pid, postgres: rig.postgres.proc().pid, kafka: rig.kafka.proc().pid };
  const { report, cpu } = await round.measure(async () => {
    forgetPeak(pid);
    const meter = new CpuMeter(processes);
    const report = await startRegisterAdapter(task).report;
    return { report, cpu: meter.read() };
  });
  console.error(`  ${name}: ${JSON.stringify(report)}`);
  if (report?.isDone !== isDone) throw new Error(`${name} has not ended as it should: ${report?.summary ?? 'killed'}`);
  const ofIngestor = what === 'read' ? {} : cpuPer(units, cpu, `${name}.cpu.`);
  return { ...valuesOf(name, report, units), ...ofIngestor, [`${name}.memory.ingestor`]: peakMemory(pid) };
}

function valuesOf(name: string, { seconds, cpu, memory }: AdapterReport, units: number): Values {
  return {
    [`${name}.seconds`]: seconds,
    [`${name}.perSecond`]: units / seconds,
    [`${name}.cpu.adapter`]: cpu / units,
    [`${name}.memory.adapter`]: memory,
  };
}

/** Every unit, against the register, as soon as the stream has stored what was sent. */
async function check({ register, system }: Days): Promise<void> {
  let wrong: string[] = [];
  const isRight = async (): Promise<boolean> => {
    wrong = deviationsOf(register, await stored(system));
    return wrong.length === 0;
  };
  await waitUntil(isRight, { what: 'the register to be stored', maxMs: 120_000, everyMs: 1_000 }).catch(() => {
    throw new Error(`What is stored is not what the register says: ${wrong.join('; ')}`);
  });
}

function stored(system: System): Promise<AnsweredUnit[]> {
  return withClient(system.url, async (db) => {
    const { rows } = await db.query<AnsweredUnit>(
      `select organisasjonsnummer, navn, organisasjonsform, overordnet_enhet as "overordnetEnhet", naeringskode,
         kommunenummer, slettet_dato::text as "slettetDato", hovedenhet
       from virksomhet where slettet is null`,
    );
    return rows;
  });
}
