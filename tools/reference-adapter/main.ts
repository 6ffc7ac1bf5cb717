import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { running } from '../local/ready-file.ts';
import { fetchToken } from '../local/token.ts';
import { AdapterApi, RefusedError } from './api.ts';
import { readDirectory, readTable } from './sources.ts';
import { send, type SyncOptions } from './sync.ts';

const METHODS: Record<string, SyncOptions['method']> = { full: 'POST', delta: 'PATCH', slett: 'DELETE' };
const USAGE = `Usage: npm run adapter -- full|delta|slett (--katalog DIR | --postgres URL --tabell T)
  [--organisasjon NAVN] [--sidestoerrelse 2000] [--parallelt 4] [--tilstand FILE] [--bekreft]`;

const OPTIONS = {
  katalog: { type: 'string' },
  postgres: { type: 'string' },
  tabell: { type: 'string' },
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
  const method = METHODS[positionals[0] ?? ''];
  if (!method || !(values.katalog || (values.postgres && values.tabell))) throw new Error(USAGE);
  const { ready, navn: name, organisasjon } = running(values.organisasjon);
  const azp = `adapter-${name}`;
  const who = { adapter: name, audience: organisasjon.audience };
  const api = new AdapterApi(organisasjon.ingestor, () => fetchToken(ready.issuer, azp, who));
  const entries = values.katalog
    ? await readDirectory(resolve(process.env['INIT_CWD'] ?? '', values.katalog))
    : await readTable(values.postgres ?? '', values.tabell ?? '');
  await api.settKontrakt({
    adapterId: azp,
    heartbeatIntervallMinutter: 15,
    fullSynkIntervallDager: 7,
    deltaSynk: 'STRAKS',
    ressurser: ['avtaler'],
  });
  const syncId = resumedSyncId(method, entries.length);
  let sync = await send(api, method === 'DELETE' ? entries.map(({ id }) => ({ id })) : entries, {
    method,
    syncId,
    pageSize: Number(values.sidestoerrelse),
    concurrency: Number(values.parallelt),
    progress: show,
  });
  while (sync.tilstand === 'SLETTER' || (sync.tilstand === 'VENTER_PAA_BEKREFTELSE' && values.bekreft)) {
    sync = sync.tilstand === 'SLETTER' ? await api.hentSynk(syncId) : await api.bekreft(syncId);
    await wait(200);
  }
  if (sync.tilstand !== 'VENTER_PAA_BEKREFTELSE') rmSync(values.tilstand, { force: true });
  const toDelete = String(sync.skalSlettes ?? 0);
  const deleted =
    sync.tilstand === 'VENTER_PAA_BEKREFTELSE'
      ? `${toDelete} to be deleted: confirm with --bekreft`
      : `${toDelete} deleted`;
  console.log(`\n${syncId}: ${sync.tilstand}, ${String(entries.length)} avtaler, ${deleted}`);
  if (sync.tilstand !== 'FULLFOERT') process.exitCode = 1;
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
