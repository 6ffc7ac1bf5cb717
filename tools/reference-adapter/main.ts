import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { running } from '../local/ready-file.ts';
import { fetchToken } from '../local/token.ts';
import { AdapterApi, RefusedError, type Entry, type Resource, type Sync } from './api.ts';
import { startHeartbeat } from './heartbeat.ts';
import { syncRegister } from './register/sync-register.ts';
import { readDirectory, readTable } from './sources.ts';
import { summaryOf } from './summary.ts';
import { send, settle, type SyncOptions } from './sync.ts';

const METHODS: Record<string, SyncOptions['method']> = { full: 'POST', delta: 'PATCH', slett: 'DELETE' };
const USAGE = `Usage: npm run adapter -- full|delta|slett (--katalog DIR | --postgres URL --tabell T)
  [--organisasjon NAVN] [--sidestoerrelse 2000] [--parallelt 4] [--tilstand FILE] [--bekreft]
or: npm run adapter -- full|delta --register URL [--kopi FILE] [--ressurser avtaler,virksomheter] [--organisasjon NAVN] [--bekreft]
or: npm run adapter -- hjerteslag [--organisasjon NAVN]`;
const HEARTBEAT_MINUTES = 15;
/** Twice in what is promised. */
const HEARTBEAT_MS = (HEARTBEAT_MINUTES * 60_000) / 2;

const OPTIONS = {
  katalog: { type: 'string' },
  postgres: { type: 'string' },
  tabell: { type: 'string' },
  register: { type: 'string' },
  ressurser: { type: 'string' },
  kopi: { type: 'string', default: '.local/register.sqlite' },
  organisasjon: { type: 'string' },
  sidestoerrelse: { type: 'string', default: '2000' },
  parallelt: { type: 'string', default: '4' },
  tilstand: { type: 'string', default: '.local/adapter.json' },
  bekreft: { type: 'boolean', default: false },
} as const;
const { values, positionals } = readArguments();

function readArguments(): ReturnType<typeof parseArgs<{ allowPositionals: true; options: typeof OPTIONS }>> {
  try {
    return parseArgs({ allowPositionals: true, options: OPTIONS });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(1);
  }
}

async function run(): Promise<void> {
  const [what = ''] = positionals;
  const method = METHODS[what];
  if (what !== 'hjerteslag' && !method) throw new Error(USAGE);
  const { api, adapterId } = connect();
  if (!method) {
    console.log(`Heartbeat: ${(await api.sendHjerteslag()).tilstand}`);
    return;
  }
  if (values.register) {
    await runRegister(what, values.register);
    return;
  }
  const entries = await readEntries();
  await api.settKontrakt(contractOf(adapterId, 'avtaler'));
  const heartbeat = startHeartbeat(api, HEARTBEAT_MS);
  try {
    const sync = await synchronise(api, method, entries);
    if (sync.tilstand !== 'VENTER_PAA_BEKREFTELSE') rmSync(values.tilstand, { force: true });
    console.log(`\n${summaryOf(method, sync, entries.length)}`);
    if (sync.tilstand !== 'FULLFOERT') process.exitCode = 1;
  } finally {
    heartbeat.stop();
  }
}

/** Who sends several resources says all of them, each time (`--ressurser`): nothing is taken that the contract does not name. */
function contractOf(adapterId: string, resource: Resource): Record<string, unknown> {
  return {
    adapterId,
    heartbeatIntervallMinutter: HEARTBEAT_MINUTES,
    fullSynkIntervallDager: 7,
    deltaSynk: 'STRAKS',
    ressurser: values.ressurser?.split(',') ?? [resource],
    ukjenteFelter: 'AVVIS',
  };
}

/** Of the national register of units. */
async function runRegister(what: string, url: string): Promise<void> {
  if (what !== 'full' && what !== 'delta') throw new Error(USAGE);
  const { api, adapterId } = connect('virksomheter');
  await api.settKontrakt(contractOf(adapterId, 'virksomheter'));
  const heartbeat = startHeartbeat(api, HEARTBEAT_MS);
  try {
    const { summary, isDone } = await syncRegister(
      api,
      what,
      { url, file: values.kopi },
      {
        pageSize: Number(values.sidestoerrelse),
        concurrency: Number(values.parallelt),
        confirm: values.bekreft,
        progress: show,
      },
    );
    console.log(`\n${summary}`);
    if (!isDone) process.exitCode = 1;
  } finally {
    heartbeat.stop();
  }
}

function connect(resource: Resource = 'avtaler'): { api: AdapterApi; adapterId: string } {
  const { ready, navn: name, organisasjon } = running(values.organisasjon);
  const adapterId = `adapter-${name}`;
  const who = { adapter: name, audience: organisasjon.audience };
  return {
    adapterId,
    api: new AdapterApi(organisasjon.ingestor, () => fetchToken(ready.issuer, adapterId, who), resource),
  };
}

/** @throws in a sentence, when it is not said where they are, or there is nothing there */
function readEntries(): Promise<Entry[]> {
  const { katalog: directory, postgres: url, tabell: table } = values;
  if (directory) return readDirectory(resolve(process.env['INIT_CWD'] ?? '', directory));
  if (url && table) return readTable(url, table);
  throw new Error(`Where are the avtaler? --katalog names a directory, or --postgres and --tabell a table.\n${USAGE}`);
}

/** Sends all pages, confirms when asked to, and waits for what follows. */
async function synchronise(api: AdapterApi, method: SyncOptions['method'], entries: Entry[]): Promise<Sync> {
  const syncId = resumedSyncId(method, entries.length);
  const sync = await send(api, method === 'DELETE' ? entries.map(({ id }) => ({ id })) : entries, {
    method,
    syncId,
    pageSize: Number(values.sidestoerrelse),
    concurrency: Number(values.parallelt),
    progress: show,
  });
  return settle(api, sync, { confirm: values.bekreft });
}

/** The sync that was broken off, when it is of the same kind and as large; a new one otherwise. */
function resumedSyncId(method: string, count: number): string {
  const what = `${method} ${String(count)}`;
  if (existsSync(values.tilstand)) {
    const known = JSON.parse(readFileSync(values.tilstand, 'utf8')) as Record<string, string>;
    if (known['hva'] === what && known['synkId'] !== undefined) return known['synkId'];
  }
  const syncId = randomUUID();
  writeFileSync(values.tilstand, JSON.stringify({ hva: what, synkId: syncId }));
  return syncId;
}

function show(done: number, pages: number): void {
  const width = 40;
  const filled = Math.round((done / pages) * width);
  process.stdout.write(`\r[${'#'.repeat(filled)}${' '.repeat(width - filled)}] ${String(done)}/${String(pages)} pages`);
}

try {
  await run();
} catch (error) {
  // The sync is over, or what it holds has changed since: the next run begins a new one.
  if (error instanceof RefusedError && error.status === 409) rmSync(values.tilstand, { force: true });
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
