import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createWorkDir, freePort, startPostgres, waitUntil } from '@tiltak/testing';
import {
  migrateDatabase,
  startIngestorProcess,
  startQueryApiProcess,
  waitUntilReady,
  type App,
} from '../local/apps.ts';
import { System } from './system.ts';

/** A set-up that is wrong: one clear line that names what, no stack, and an exit code other than 0. */
let system: System;
const { directory, clean } = createWorkDir('oppstart');

beforeAll(async () => {
  system = await System.create();
  await (await system.startIngestor()).proc.stop();
}, 60_000);
afterAll(async () => {
  await system.stop();
  clean();
});

async function lastWords(app: App): Promise<string> {
  await app.proc.done;
  expect(app.proc.outcome()).toBe('exit code 1');
  const lines = readFileSync(app.logFile, 'utf8')
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  const last = JSON.parse(lines.at(-1) ?? '{}') as { level: string; message: string; err?: unknown };
  expect([last.level, last.err]).toEqual(['fatal', undefined]);
  return last.message;
}

const start = async (name: 'ingestor' | 'query-api', extra: Record<string, string>, port?: number): Promise<string> => {
  const starts = name === 'ingestor' ? startIngestorProcess : startQueryApiProcess;
  return lastWords(starts(system.env, port ?? (await freePort()), extra));
};

test.each([
  ['ingestor', { KAFKA_BROKERS: '' }, /^KAFKA_BROKERS is missing/],
  ['ingestor', { DB_PORT: 'x' }, /^DB_PORT must be a whole number/],
  [
    'ingestor',
    { KAFKA_CA_PATH: import.meta.filename },
    /^KAFKA_(CERTIFICATE|PRIVATE_KEY)_PATH is missing: it is set together with KAFKA_CA_PATH/,
  ],
  ['query-api', { KONSUMENTER_FIL: '/finnes/ikke.yaml' }, /^KONSUMENTER_FIL must be the path of a file that exists/],
  ['query-api', { DELTAKER_ID_NOEKKEL: 'kort' }, /^DELTAKER_ID_NOEKKEL must be text like/],
  ['query-api', { AZURE_OPENID_CONFIG_ISSUER: 'ikke en adresse' }, /^AZURE_OPENID_CONFIG_ISSUER must be a URL/],
  [
    'ingestor',
    { DB_PASSWORD: 'feil' },
    /^DB_USERNAME, DB_PASSWORD or DB_DATABASE is refused by the database \(SQLSTATE 28P01\)/,
  ],
  ['query-api', { DB_DATABASE: 'finnes_ikke' }, /^DB_USERNAME, DB_PASSWORD or DB_DATABASE is refused by the database/],
  [
    'query-api',
    { DELTAKER_ID_NOEKKEL: 'cd'.repeat(32) },
    /^DELTAKER_ID_NOEKKEL differs from the key that this database was filled with/,
  ],
  ['ingestor', { DELTAKER_ID_NOEKKEL: 'cd'.repeat(32) }, /^DELTAKER_ID_NOEKKEL differs from the key/],
] as const)(
  '%s with %j',
  async (name, extra, message) => {
    expect(await start(name, extra)).toMatch(message);
  },
  30_000,
);

test('a registry that is broken is told of by place', async () => {
  const file = join(directory, 'konsumenter.yaml');
  writeFileSync(file, '- navn: k\n  azp: a\n  behandlingsgrunnlag: []\n');
  expect(await start('query-api', { KONSUMENTER_FIL: file })).toMatch(
    /konsumenter\.yaml: 0\.behandlingsgrunnlag must NOT have fewer than 1 items/,
  );
});

test.each(['ingestor', 'query-api'] as const)('%s on a port that is taken names PORT', async (name) => {
  const other = createServer();
  const port = await freePort();
  await new Promise<void>((ready) => other.listen(port, '127.0.0.1', ready));
  expect(await start(name, {}, port)).toBe(`PORT ${String(port)} on 127.0.0.1 is taken by another process`);
  other.close();
});

test('before the schema is at its version, and before an ingestor has set the database up, an app is alive and not ready, also when Postgres ends meanwhile', async () => {
  const dir = createWorkDir('oppstart');
  const postgres = await startPostgres({
    port: await freePort(),
    dataDir: join(dir.directory, 'postgres'),
    logFile: join(dir.directory, 'postgres.log'),
  });
  const empty = await System.create({ postgres: postgres.url, migrated: false });
  try {
    const app = startQueryApiProcess(empty.env, await freePort());
    const ingestor = empty.startIngestor();
    const missing = (): Promise<unknown> =>
      fetch(`${app.url}/internal/isready`).then(
        async (response) => ((await response.json()) as Record<string, string[]>)['mangler']?.join(),
        () => undefined,
      );
    const waitForMissing = (...what: string[]): Promise<unknown> =>
      waitUntil(async () => (await missing()) === what.join(), { what: `not ready for ${what.join()}` });
    const hasSaid = (what: string): Promise<unknown> =>
      waitUntil(() => Promise.resolve(readFileSync(app.logFile, 'utf8').includes(what)), { what });
    await waitForMissing('oppstart', 'skjema');
    await hasSaid('waiting for the migration job');
    await postgres.kill();
    await waitForMissing('oppstart', 'skjema', 'database');
    await hasSaid('does not answer');
    await postgres.restart();
    await migrateDatabase(empty.env);
    await ingestor;
    await waitUntilReady(app);
    await app.proc.stop();
  } finally {
    await empty.stop();
    await postgres.stop();
    dir.clean();
  }
}, 60_000);
