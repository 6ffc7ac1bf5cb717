import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, waitUntil } from '@tiltak/testing';
import pg from 'pg';
import { checksumOf } from '../shared/whole-files.ts';
import { startTestAnalysis, type TestAnalysis } from '../testing/test-analysis.ts';
import { deltakerId, startTestApi, type TestApi } from '../testing/test-api.ts';
import type { Manifest } from './manifest.ts';

/** The command as its job runs it, on as many avtaler as make it last: memory, SIGKILL, no room, two at once. */
const PROGRAM = join(ROOT, 'dist', 'apps', 'query-api', 'main.cjs');

/** The bounds of memory that its manifest gives it. */
const [ofJob] =
  /(--max-[\w-]+=\d+,? )+(?=main\.cjs, analyse)/.exec(
    readFileSync(join(ROOT, 'tools', 'generators', 'organisasjon', 'manifests.ts'), 'utf8'),
  ) ?? [];
if (ofJob === undefined) throw new Error('The manifest gives the job no bounds that are found here');
const bounds = ofJob.replaceAll(',', '');

let api: TestApi;
let analysis: TestAnalysis;
let superuser: pg.Pool;
beforeAll(async () => {
  api = await startTestApi();
  analysis = await startTestAnalysis(api, deltakerId);
  await api.setFreshness(new Date());
  superuser = new pg.Pool({ connectionString: api.database.url, max: 1 });
  // Tells how much memory it has had at most, when it ends.
  writeFileSync(at('peak.mjs'), `process.on('exit', () => console.error('peak', process.resourceUsage().maxRSS));`);
}, 60_000);
afterAll(async () => {
  await superuser.end();
  await analysis.stop();
  await api.stop();
}, 60_000);

const at = (...names: string[]): string => join(analysis.directory, ...names);

/** Avtaler of many months, persons and employers, with a line each in the feed, from a number on. */
async function fill(from: number, to: number): Promise<void> {
  for (let first = from; first < to; first += 50_000) await fillSome(first, Math.min(to, first + 50_000));
  await api.feedSeen();
}

async function fillSome(from: number, to: number): Promise<void> {
  // Without the triggers, of what the feeds of subscriptions are made of.
  await superuser.query('set session_replication_role = replica');
  await superuser.query(
    `with ny as (
       insert into avtale (avtale_id, deltaker_id, bedrift_nr, tiltakstype, avtale_status, start_dato, slutt_dato,
         avtale_inngaatt, har_vaert_inngaatt, stillingprosent, versjon, feilregistrert, kilde_partisjon, kilde_offset, sist_endret)
       select md5(n::text)::uuid, md5((n % 50000)::text)::uuid, (900000000 + n % 9000)::text,
         (array['MENTOR', 'ARBEIDSTRENING', 'SOMMERJOBB'])[1 + n % 3], 'GJENNOMFØRES',
         date '2022-01-01' + (n * 7 % 1800)::int, date '2022-06-01' + (n * 7 % 1800)::int, now(), true, n % 100, 1,
         false, 0, n, now()
       from generate_series($1::bigint, $2::bigint - 1) n
       on conflict (avtale_id) do update set versjon = avtale.versjon + 1 returning avtale_id)
     insert into endring (avtale_id, type) select avtale_id, 'ENDRET' from ny`,
    [from, to],
  );
}

interface Ended {
  code: number | null;
  printout: string;
  /** MiB */
  peak: number;
}

function start(
  args: string[],
  { limit = '' }: { limit?: string } = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const { host, port, database } = api.database;
  const env = {
    ...{ PATH: process.env['PATH'], ORGANISASJON: 'nav', DB_HOST: host, DB_PORT: String(port), DB_DATABASE: database },
    ...{ DB_USERNAME: `${database}_analyse`, DB_PASSWORD: 'x', ANALYSE_NOEKKEL: '0a'.repeat(32) },
    ANALYSE_FIL: join(ROOT, 'tools', 'local', 'analyse.yaml'),
    NODE_OPTIONS: `${bounds}--import ${at('peak.mjs')}`,
  };
  const command = ['exec', process.execPath, PROGRAM, 'analyse', ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('sh', ['-c', `${limit} ${command.replace("'exec'", 'exec')}`], { env, stdio: 'pipe' });
  let printout = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (printout += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({
    ...{ code: code as number | null, printout },
    peak: Number(/^peak (\d+)$/m.exec(printout)?.[1]) / 1_024,
  }));
  return { child, ended };
}

const manifestIn = (directory: string): Manifest =>
  JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as Manifest;

/** What its manifest says is what is there. */
async function requireWhole(directory: string): Promise<Manifest> {
  const manifest = manifestIn(directory);
  expect(readdirSync(directory).sort()).toEqual([...manifest.filer.map(({ fil }) => fil), 'manifest.json'].sort());
  for (const { fil: file, sha256 } of manifest.filer) expect(await checksumOf(join(directory, file))).toBe(sha256);
  return manifest;
}

/** The statement of docs/analyse.md, which a reader copies. */
const LATEST = /```sql\n([^]*?)```/.exec(readFileSync(join(ROOT, 'docs', 'analyse.md'), 'utf8'))?.[1] ?? '';
async function latestIn(series: string): Promise<Record<string, unknown>[]> {
  await analysis.duck(LATEST.replaceAll('SERIE', series));
  return analysis.duck('select count(*) as n, sum(versjon) as versjoner from siste');
}
async function stored(): Promise<Record<string, unknown>[]> {
  return api.owner.query('select count(*)::text as n, sum(versjon)::text as versjoner from avtale_synlig');
}

test('four times as many avtaler take no more memory, all of them or what has changed', async () => {
  const peaks: Record<string, number> = {};
  for (const [name, from, to] of [
    ['100 000', 0, 100_000],
    ['400 000', 100_000, 400_000],
  ] as const) {
    await fill(from, to);
    const { code, printout, peak } = await start(['--til', at(name)]).ended;
    expect([code, printout]).toEqual([0, expect.stringContaining(`: ${String(to)} avtaler`)]);
    peaks[name] = peak;
    expect((await requireWhole(at(name))).rader).toBe(to);
  }
  // Of a position before all of them: the changes are as many.
  const first = manifestIn(at('100 000')).posisjon;
  const { code, peak } = await start(['--til', at('endringer'), '--siden', first]).ended;
  expect([code, (await requireWhole(at('endringer'))).rader]).toEqual([0, 300_000]);
  peaks['endringer'] = peak;
  console.log(`MiB at most: ${JSON.stringify(peaks)}`);
  const { '100 000': small = 0, '400 000': large = Infinity } = peaks;
  expect(large).toBeLessThan(small * 1.2 + 20);
  expect(peak).toBeLessThan(small * 1.2 + 20);
  expect(large).toBeLessThan(256);
}, 300_000);

test('killed wherever it is, nothing looks whole that is not, and the series goes on from what is', async () => {
  const series = at('drept');
  expect((await start(['--serie', series]).ended).code).toBe(0);
  let killed = 0;
  for (const round of [0, 1, 2, 3, 4, 5]) {
    await fill(round * 20_000, round * 20_000 + 60_000);
    // Everything anew, or what has changed, whose old runs go besides.
    const { child, ended } = start(['--serie', series, '--alt-hver', round % 2 ? '1' : '30']);
    await waitUntil(() => readdirSync(series).length > 1 + (round > 0 ? 1 : 0) || child.exitCode !== null, {
      what: 'it to write',
      everyMs: 5,
    });
    await new Promise((done) => setTimeout(done, round * 400));
    child.kill('SIGKILL');
    if ((await ended).code === null) killed++;
    for (const run of readdirSync(series).filter((name) => existsSync(join(series, name, 'manifest.json'))))
      await requireWhole(join(series, run));
  }
  expect(killed).toBeGreaterThan(3);
  expect((await start(['--serie', series]).ended).code).toBe(0);
  for (const run of readdirSync(series)) await requireWhole(join(series, run));
  expect(await latestIn(series)).toEqual(await stored());
}, 300_000);

test('with no room left it says so, nothing looks whole, and with room the same directory is written', async () => {
  for (const args of [
    ['--til', at('fullt')],
    ['--serie', at('full-serie')],
  ]) {
    // Blocks of 512 bytes: some months fit, and the next does not.
    const { code, printout } = await start(args, { limit: 'ulimit -f 100;' }).ended;
    expect([code, printout]).toEqual([2, expect.stringContaining(`${args[1] ?? ''} can't be written to`)]);
    expect(printout).toContain('EFBIG). No run is left there that looks whole');
    expect(readdirSync(args[1] ?? '', { recursive: true }).join()).not.toMatch(/manifest|i-arbeid/);
    expect((await start(args).ended).code).toBe(0);
  }
  const one = at('full-disk');
  if (await mountSmall(one)) {
    const { code, printout } = await start(['--til', join(one, 'til')]).ended;
    await run('umount', one);
    expect([code, printout]).toEqual([2, expect.stringContaining('there is no room (ENOSPC)')]);
  }
}, 300_000);

async function run(...command: [string, ...string[]]): Promise<boolean> {
  const [program, ...args] = command;
  const [code] = (await once(spawn(program, args, { stdio: 'ignore' }), 'close')) as [number];
  return code === 0;
}

/** A disk of 1 MiB, where one may make it. */
function mountSmall(directory: string): Promise<boolean> {
  mkdirSync(directory);
  if (process.getuid?.() !== 0) return Promise.resolve(false);
  return run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory);
}

test('of several at once one writes, the others say that it does, and all that is there is one run’s', async () => {
  for (const [option, directory] of [
    ['--til', at('samtidig')],
    ['--serie', at('samtidig-serie')],
  ] as const) {
    const all = await Promise.all([1, 2, 3].map(() => start([option, directory]).ended));
    const codes = all.map(({ code }) => code).sort();
    expect(codes).toEqual([0, 2, 2]);
    for (const { code, printout } of all)
      if (code !== 0) expect(printout).toMatch(/Another run writes there|has a whole analysis already/);
    const runs = option === '--til' ? [directory] : readdirSync(directory).map((name) => join(directory, name));
    expect(runs).toHaveLength(1);
    for (const one of runs) await requireWhole(one);
  }
}, 300_000);
