import { join } from 'node:path';
import fc from 'fast-check';
import { Register, startRegisterServer, type RegisterServer } from '@tiltak/simulator';
import { createTestTopic, createWorkDir, waitUntil, type TestTopic } from '@tiltak/testing';
import { AdapterApi } from '../reference-adapter/api.ts';
import { RegisterCopy } from '../reference-adapter/register/copy.ts';
import { unitOf, virksomhetOf, type Virksomhet } from '../reference-adapter/register/virksomhet.ts';
import type { AdapterReport, AdapterTask } from './register-adapter.ts';
import { deviationsOf, type AnsweredUnit } from './register-oracle.ts';
import { startRegisterAdapter } from './register-run.ts';
import { System } from './system.ts';
import { WatchedRoad, type PageOnRoad } from './watched-road.ts';

/**
 * The reference adapter on the national register, killed (SIGKILL) wherever it can be: after each, every unit that
 * consumers are answered is held against the register itself.
 */
const UNITS = 12_000;
const PAGE_SIZE = 500;
const CONCURRENCY = 4;
const { directory, clean } = createWorkDir('register-feil');
let register: Register;
let server: RegisterServer;
let system: System;
let topic: TestTopic;
let road: WatchedRoad;
let answers: { url: string; headers: Record<string, string> };

beforeAll(async () => {
  register = new Register({ count: UNITS });
  server = await startRegisterServer(register, directory);
  system = await System.create({ partitions: 1 });
  topic = await createTestTopic({ partitions: 3 });
  system.env.virksomhetTopic = topic.topic;
  const ingestor = await system.startIngestor({ ADAPTER_MAKS_SLETTES_PROSENT: '5' });
  await new AdapterApi(ingestor.url, () => system.tokenForAdapter()).settKontrakt({
    adapterId: 'spec',
    heartbeatIntervallMinutter: 15,
    fullSynkIntervallDager: 7,
    deltaSynk: 'STRAKS',
    ressurser: ['virksomheter'],
    ukjenteFelter: 'AVVIS',
  });
  road = await WatchedRoad.start(ingestor.url);
  const { url } = await system.startQueryApi();
  answers = { url: `${url}/api/v1/virksomheter`, headers: await system.as('alt') };
}, 120_000);

afterAll(async () => {
  await road.stop();
  await system.stop();
  await Promise.all([server.stop(), topic.remove()]);
  clean();
});

/** What an adapter does that can be seen from outside: a question to the register, or a page. */
type Seen = { path: string } | PageOnRoad;
type Task = Partial<AdapterTask> & { what: AdapterTask['what'] };

const copy = join(directory, 'kopi.sqlite');
const pages: PageOnRoad[] = [];
let lookAt: (seen: Seen) => Promise<void> | void = () => undefined;

async function start(task: Task): Promise<ReturnType<typeof startRegisterAdapter>> {
  server.setFaults((path) => {
    void lookAt({ path });
    return undefined;
  });
  road.watch = (page) => {
    pages.push(page);
    return lookAt(page);
  };
  const standard = { ingestor: road.url, register: server.url, copy, pageSize: PAGE_SIZE, confirm: false };
  return startRegisterAdapter({ ...standard, token: await system.tokenForAdapter(), ...task });
}

async function run(task: Task): Promise<AdapterReport> {
  const report = await (await start(task)).report;
  if (!report) throw new Error('It was killed');
  return report;
}

/** Runs it until something is seen, and kills it then, before that goes any further. */
async function killAt(task: Task, isMoment: (seen: Seen) => boolean, afterMs = 0): Promise<void> {
  const adapter = await start(task);
  const moment = new Promise<void>((resolve) => {
    lookAt = async (seen) => {
      if (!isMoment(seen)) return;
      lookAt = () => undefined;
      if (afterMs > 0) setTimeout(() => void adapter.kill().then(resolve), afterMs);
      else await adapter.kill().then(resolve);
    };
  });
  const ended = adapter.report.then((report) => {
    if (report) throw new Error(`It ended before it was killed: ${report.summary}`);
  });
  await Promise.all([moment, ended]);
  await road.empty();
}

/** The nth of them. */
function nth(n: number, is: (seen: Seen) => boolean): (seen: Seen) => boolean {
  let count = 0;
  return (seen) => is(seen) && ++count === n;
}

const asked =
  (form: RegExp) =>
  (seen: Seen): boolean =>
    'path' in seen && form.test(seen.path);
const taken =
  (method: string) =>
  (seen: Seen): boolean =>
    'method' in seen && seen.method === method && seen.isTaken;
const sent =
  (method: string) =>
  (seen: Seen): boolean =>
    'method' in seen && seen.method === method && !seen.isTaken;
const UNIT = /\/enhetsregisteret\/api\/(under)?enheter\/\d{9}$/;

async function answered(): Promise<AnsweredUnit[]> {
  const text = await (await fetch(`${answers.url}/eksport`, { headers: answers.headers })).text();
  const [, ...rows] = text.trim().split('\n');
  return rows.map((row) => JSON.parse(row) as AnsweredUnit);
}

/** As soon as the stream has stored what is on the topic. */
async function requireExact(): Promise<void> {
  let wrong: string[] = [];
  const isRight = async (): Promise<boolean> => {
    wrong = deviationsOf(register, await answered());
    return wrong.length === 0;
  };
  await waitUntil(isRight, { what: 'the register to be answered', maxMs: 30_000, everyMs: 500 }).catch(() => undefined);
  expect(wrong).toEqual([]);
}

/** Of one number, and of all below it, as one who asks for them is answered. */
async function requireFound(): Promise<void> {
  const rows = await answered();
  const known = new Set(rows.map(({ organisasjonsnummer: nr }) => nr));
  const groups = [...Map.groupBy(rows, ({ hovedenhet }) => hovedenhet)];
  const [top, below] =
    groups.filter(([nr]) => known.has(String(nr))).sort(([, a], [, b]) => b.length - a.length)[0] ?? [];
  const unit = (await (await fetch(`${answers.url}/${String(top)}`, answers)).json()) as AnsweredUnit;
  expect(unit).toMatchObject(rows.find(({ organisasjonsnummer: nr }) => nr === top) ?? {});
  const body = JSON.stringify({ hovedenhet: top, antall: 1_000 });
  const response = await fetch(`${answers.url}/sok`, { method: 'POST', headers: answers.headers, body });
  const { virksomheter } = (await response.json()) as { virksomheter: AnsweredUnit[] };
  const numbers = virksomheter.map(({ organisasjonsnummer: nr }) => nr).sort();
  expect(numbers).toEqual([top, ...(below ?? []).map(({ organisasjonsnummer: nr }) => nr)].sort());
}

const pageCount = (): number => Math.ceil([...register.state()].length / PAGE_SIZE);

test('the adapter is killed while it reads the register: nothing is sent before all of it is there', async () => {
  register.change(200, 60_000);
  await server.makeFiles();
  register.change(200, 60_000);
  // Of each file, its time is asked for first, and then the file.
  await killAt({ what: 'full' }, nth(1, asked(/oppdateringer\/underenheter/)));
  await killAt({ what: 'full' }, nth(30, asked(UNIT)));
  await killAt(
    { what: 'full' },
    nth(1, (seen) => asked(/\/enheter\/lastned/)(seen)),
    400,
  );
  await killAt({ what: 'full' }, nth(2, asked(/underenheter\/lastned/)));
  await killAt({ what: 'full' }, nth(2, asked(/underenheter\/lastned/)), 250);
  expect(pages).toEqual([]);
  expect(await answered()).toEqual([]);
}, 120_000);

test('the adapter is killed among the pages of a full sync: it sends those that are missing, and the register is answered', async () => {
  const deliveredBefore = new Set<number>();
  for (const moment of [nth(4, taken('POST')), nth(3, sent('POST')), nth(9, taken('POST'))]) {
    const from = pages.length;
    await killAt({ what: 'full' }, moment);
    const now = pages.slice(from).filter(taken('POST'));
    // Only the first page is sent again: its answer tells which are missing.
    expect(now.filter(({ side }) => side !== 1 && deliveredBefore.has(side))).toEqual([]);
    // Of those that were under way, the adapter had no answer.
    for (const { side } of now.slice(0, -CONCURRENCY)) deliveredBefore.add(side);
  }
  const from = pages.length;
  expect(await run({ what: 'full' })).toMatchObject({ isDone: true });
  const rest = pages.slice(from).filter(sent('POST'));
  expect(rest.filter(({ side }) => side !== 1 && deliveredBefore.has(side))).toEqual([]);
  expect(new Set(pages.map(({ synkId }) => synkId)).size).toBe(1);
  expect(new Set(pages.filter(taken('POST')).map(({ side }) => side)).size).toBe(pageCount());
  expect(pages.filter(sent('POST')).length).toBeLessThanOrEqual(pageCount() + 3 * (1 + CONCURRENCY));
  await requireExact();
  await requireFound();
}, 120_000);

test('the adapter is killed while it follows the feeds: each change is answered, and only what changed is sent', async () => {
  register.change(400, 60_000);
  const from = pages.length;
  await killAt({ what: 'delta' }, nth(2, asked(/oppdateringer\/enheter/)));
  await killAt({ what: 'delta' }, nth(60, asked(UNIT)));
  await killAt({ what: 'delta' }, nth(1, sent('PATCH')));
  await killAt({ what: 'delta' }, nth(1, taken('PATCH')));
  await killAt({ what: 'delta' }, nth(1, taken('DELETE')));
  expect(await run({ what: 'delta' })).toMatchObject({ isDone: true });
  const patches = pages.slice(from).filter(sent('PATCH'));
  expect(patches.map(({ entries }) => entries <= 400)).toEqual([true, true, true]);
  await requireExact();
  const quiet = pages.length;
  expect(await run({ what: 'delta' })).toMatchObject({ summary: '0 virksomheter sent', isDone: true });
  expect(pages.slice(quiet)).toEqual([]);
}, 120_000);

test('a full sync that waits to be confirmed holds no change, and deletes once it is, though the adapter is killed', async () => {
  const before = await answered();
  register.lose(UNITS / 10);
  register.now += 86_400_000;
  await server.makeFiles();
  expect(await run({ what: 'full' })).toMatchObject({ isDone: false, summary: expect.stringContaining('NOTHING IS') });
  expect(await answered()).toHaveLength(before.length);
  register.change(50, 60_000);
  expect(await run({ what: 'delta' })).toMatchObject({ isDone: false, summary: expect.stringContaining('NOTHING IS') });
  const there = new Set([...register.state()].map(({ unit }) => unit.organisasjonsnummer));
  const goneFrom = (rows: AnsweredUnit[]): number =>
    rows.filter(({ organisasjonsnummer: nr }) => !there.has(nr)).length;
  expect(goneFrom(await answered())).toBe(UNITS / 10);
  const known = new Set((await answered()).map(({ organisasjonsnummer: nr }) => nr));
  expect([...there].filter((nr) => !known.has(nr))).toEqual([]);
  const from = pages.length;
  await killAt({ what: 'full', confirm: true }, nth(1, taken('CONFIRM')));
  expect(await run({ what: 'full' })).toMatchObject({ isDone: true });
  expect(pages.slice(from).filter(({ method }) => method !== 'CONFIRM')).toEqual([]);
  await requireExact();
}, 120_000);

test('two runs at once: the second one says so, and does nothing', async () => {
  const reading = new Promise<void>((resolve) => {
    lookAt = (seen) => {
      if (asked(/\/enheter\/lastned/)(seen)) resolve();
    };
  });
  const first = await start({ what: 'full' });
  await reading;
  await expect(run({ what: 'delta' })).rejects.toThrow('Another run of the adapter has');
  expect(await first.report).toMatchObject({ isDone: true });
  await requireExact();
}, 120_000);

/** Of units as a register may tell them; those that the adapter reads as it should. */
function oddUnits(count: number): Virksomhet[] {
  const odd = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 110 }),
    fc.constantFrom(
      '\ud800',
      '\0',
      '',
      '2026-02-29',
      'x'.repeat(1_000),
      '💥'.repeat(1_000),
      'x'.repeat(100),
      '💥'.repeat(101),
    ),
  );
  const mostly = (usual: string): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 4, arbitrary: fc.constantFrom(usual, null) }, { weight: 1, arbitrary: odd });
  const within = (member: string): fc.Arbitrary<unknown> => fc.record({ [member]: mostly('47.111') });
  const unit = fc.record({
    navn: odd,
    organisasjonsform: within('kode'),
    overordnetEnhet: mostly('310000007'),
    naeringskode1: within('kode'),
    postadresse: within('kommunenummer'),
    slettedato: mostly('2024-02-29'),
  });
  return fc.sample(unit, { seed: 15, numRuns: count }).flatMap((json, n) => {
    try {
      return [virksomhetOf(unitOf({ ...json, organisasjonsnummer: String(320_000_000 + n) }))];
    } catch {
      return [];
    }
  });
}

test('what the adapter reads of a unit the ingestor takes; and what it does not take holds no other, and is told of', async () => {
  const odd = oddUnits(2_000);
  expect(odd.length).toBeGreaterThan(100);
  const now = new Date().toISOString();
  const own = new RegisterCopy(join(directory, 'rart.sqlite'));
  const put = (unit: Virksomhet): void => {
    own.transaction(() => own.store({ nr: unit.organisasjonsnummer, slag: 'enheter', dato: now, type: 'Ny' }, unit));
  };
  odd.forEach(put);
  own.setNote('feeder-fra', now);
  own.close();
  const task = { what: 'delta', copy: join(directory, 'rart.sqlite') } as const;
  expect(await run(task)).toMatchObject({
    summary: expect.stringMatching(`^${String(odd.length)} [^\n]*$`),
    isDone: true,
  });
  const again = new RegisterCopy(task.copy);
  const [first, second] = odd;
  if (!first || !second) throw new Error('There are no odd units');
  for (const unit of [
    { ...first, navn: 'x'.repeat(1_001) },
    { ...second, navn: 'ENDRET' },
  ]) {
    again.transaction(() =>
      again.store({ nr: unit.organisasjonsnummer, slag: 'enheter', dato: new Date().toISOString(), type: 'Ny' }, unit),
    );
  }
  again.close();
  const { summary } = await run(task);
  expect(summary).toContain(`${first.organisasjonsnummer}: ressurs.navn is longer than 1000 characters`);
  await waitUntil(
    async () =>
      (await answered()).find(({ organisasjonsnummer: nr }) => nr === second.organisasjonsnummer)?.navn === 'ENDRET',
    { what: 'the other one to be answered' },
  );
}, 120_000);
