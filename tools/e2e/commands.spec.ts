import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase, runProgram, ROOT, waitUntil } from '@tiltak/testing';
import pg from 'pg';
import { builtApp } from '../local/apps.ts';
import { exampleAvtale } from '../local/example-avtale.ts';
import { System } from './system.ts';

const REVISOR = { DB_USERNAME: 'spec_revisor', DB_PASSWORD: 'spec' };

let system: System;
let settings: Record<string, string>;
beforeAll(async () => {
  system = await System.create({ partitions: 1 });
  const ingestor = await system.startIngestor();
  const { database, organisasjon, konsumenter } = system.env;
  await system.sql(
    `create role ${REVISOR.DB_USERNAME} login password '${REVISOR.DB_PASSWORD}' in role datadeling_revisor`,
  );
  await system.sql(`grant connect on database ${database.database} to ${REVISOR.DB_USERNAME}`);
  settings = {
    PATH: process.env['PATH'] ?? '',
    ORGANISASJON: organisasjon,
    KONSUMENTER_FIL: konsumenter,
    DB_HOST: database.host,
    DB_PORT: String(database.port),
    DB_DATABASE: database.database,
    PORT: new URL(ingestor.url).port,
  };
});
afterAll(async () => {
  await system.sql(
    `revoke all on database ${system.env.database.database} from ${REVISOR.DB_USERNAME};
     drop role ${REVISOR.DB_USERNAME}`,
  );
  await system.stop();
});

type App = Parameters<typeof builtApp>[0];
const run = (app: App, args: string[], env: Record<string, string> = {}): ReturnType<typeof runProgram> =>
  runProgram(process.execPath, [builtApp(app), ...args], { cwd: ROOT, env: { ...settings, ...env } });
const ingestorLogin = (): Record<string, string> => {
  const { username, password } = system.env.database.ingestor;
  return { DB_USERNAME: username, DB_PASSWORD: password };
};

describe('migrer', () => {
  const owner = (): Record<string, string> => {
    const { username, password } = system.env.database.migrering;
    return { DB_USERNAME: username, DB_PASSWORD: password };
  };

  test('does nothing more where the schema is at its version', async () => {
    const { code, printout } = await run('ingestor', ['migrer'], owner());
    expect([code, printout]).toEqual([0, expect.stringContaining('"migrasjoner":[]')]);
  });

  test('of a migration that fails tells the SQLSTATE and no value, and undoes it', async () => {
    const fresh = await createTestDatabase();
    const { username: DB_USERNAME, password: DB_PASSWORD } = fresh.migrering;
    const login = { DB_DATABASE: fresh.database, DB_USERNAME, DB_PASSWORD };
    const client = new pg.Client({ connectionString: fresh.url });
    await client.connect();
    try {
      // As if somebody had made it by hand.
      await client.query('create table avtale (hvem text)');
      const { code, printout } = await run('ingestor', ['migrer'], login);
      const last = JSON.parse(printout.trim().split('\n').at(-1) ?? '') as object;
      expect([code, last]).toMatchObject([
        2,
        { level: 'fatal', message: expect.stringMatching(/^The schema could not .*: SQLSTATE 42P07$/) },
      ]);
      const { rows } = await client.query(`select to_regclass('instans') as instans`);
      expect(rows).toEqual([{ instans: null }]);
      await client.query('drop table avtale');
      expect(await run('ingestor', ['migrer'], login)).toMatchObject({ code: 0 });
    } finally {
      await client.end();
      await fresh.remove();
    }
  });
});

describe('oppslag', () => {
  test('is told by the login of an auditor, and by no other', async () => {
    const { code, printout } = await run('query-api', ['oppslag', '--json'], REVISOR);
    expect([code, JSON.parse(printout)]).toEqual([
      0,
      expect.arrayContaining([expect.objectContaining({ konsument: 'alt', ubrukteFelter: expect.any(Array) })]),
    ]);
    const { username, password } = system.env.database.queryApi;
    expect(await run('query-api', ['oppslag'], { DB_USERNAME: username, DB_PASSWORD: password })).toEqual({
      code: 2,
      printout: 'permission denied for view oppslag\n',
    });
  });

  test('npm run drift takes the same settings', async () => {
    const script = ['--disable-warning=ExperimentalWarning', 'tools/local/ops.ts', 'oppslag', '--cef'];
    const env = { ...settings, ...REVISOR };
    expect(await runProgram(process.execPath, script, { cwd: ROOT, env })).toEqual({ code: 0, printout: '' });
  });

  test('keeps to the TLS that is asked for', async () => {
    expect(await run('query-api', ['oppslag'], { ...REVISOR, DB_SSLMODE: 'verify-ca' })).toEqual({
      code: 2,
      printout: 'The server does not support SSL connections\n',
    });
  });
});

test.each(['pdf', 'json'])('innsyn writes a report as %s, by the program as it is built', async (kind) => {
  const directory = mkdtempSync(join(tmpdir(), 'innsyn-'));
  const file = join(directory, `rapport.${kind}`);
  try {
    const options = ['--person', '00000000-0000-4000-8000-000000000001', '--til-fil', file];
    expect(await run('query-api', ['innsyn', ...options], REVISOR)).toMatchObject({ code: 2 });
    const given = [...options, '--begrunnelse', 'The person has asked for it'];
    expect(await run('query-api', ['innsyn', ...given], REVISOR)).toEqual({ code: 0, printout: '' });
    expect(readFileSync(file).toString('latin1')).toMatch(kind === 'pdf' ? /^%PDF-[^]*%%EOF\s*$/ : /^\{[^]*\}\s*$/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('rydding tells what would go, and what goes', async () => {
  for (const [options, member] of [
    [['--proev'], 'villeFjernes'],
    [[], 'fjernet'],
  ] as const) {
    const { code, printout } = await run('ingestor', ['rydding', ...options], ingestorLogin());
    const last = JSON.parse(printout.trim().split('\n').at(-1) ?? '') as object;
    expect([code, last]).toMatchObject([0, { [member]: 0, holdesIgjen: 0 }]);
  }
});

test('relasjoner counts what differs, and puts it right', async () => {
  expect(await run('ingestor', ['relasjoner', '--rett'], ingestorLogin())).toEqual({
    code: 0,
    printout: '{"deltakere":0,"mangler":0,"overfloedige":0,"rettet":true,"hovedenheter":0}\n',
  });
});

test('avstem reaches the ingestor of its own container', async () => {
  expect(await run('ingestor', ['avstem', '--topic'], { TOKEN: await system.tokenForOnDuty() })).toEqual({
    code: 0,
    printout: expect.stringMatching(/^Reconciliation 1: the source has 0 avtaler\n/),
  });
});

test.each<[App, string, number, RegExp]>([
  [
    'query-api',
    'oppslag --ukjent',
    2,
    /^Unknown option '--ukjent'\. Usage: npm run drift -- oppslag \[options\], in the image /,
  ],
  [
    'query-api',
    'relasjoner',
    2,
    /^There is no command relasjoner, only: oppslag, innsyn, arkiv, revisor, analyse, register, openapi, katalog, innstillinger\.\n$/,
  ],
  ['query-api', 'oppslag', 2, /^DB_USERNAME is missing: .*\nDB_PASSWORD is missing: .*\n$/],
  ['ingestor', 'avstem --hjelp', 0, /^Usage: npm run avstem -- \[options\], in the image node main\.cjs avstem /],
])('%s: %s', async (app, args, code, text) => {
  const found = await run(app, args.split(' '));
  expect([found.code, found.printout]).toEqual([code, expect.stringMatching(text)]);
});

test('a day as docs/analyse.md walks it: everything, what has changed since, and an answer in DuckDB', async () => {
  const serie = mkdtempSync(join(tmpdir(), 'serie-'));
  const { username, password } = new URL(system.env.database.url);
  const env = { ...settings, DB_USERNAME: username, DB_PASSWORD: password };
  const local = (file: string, args: string[]): ReturnType<typeof runProgram> =>
    runProgram(process.execPath, ['--disable-warning=ExperimentalWarning', join('tools', 'local', file), ...args], {
      cwd: ROOT,
      env,
    });
  const isStored = async (n: number): Promise<boolean> =>
    Number((await system.sql<{ n: string }>('select count(*) as n from avtale'))[0]?.n) === n;
  try {
    for (const n of [0, 1]) {
      if (n > 0) await system.publish([exampleAvtale(new Date())]);
      await waitUntil(() => isStored(n), { what: 'the day’s changes', everyMs: 50 });
      expect(await local('ops.ts', ['analyse', '--serie', serie])).toMatchObject({ code: 0 });
    }
    const runs = readdirSync(serie).map(
      (run) => JSON.parse(readFileSync(join(serie, run, 'manifest.json'), 'utf8')) as object,
    );
    expect(runs).toEqual([expect.objectContaining({ slag: 'ALT' }), expect.objectContaining({ slag: 'ENDRINGER' })]);
    const today = await local('duckdb.ts', [serie]);
    expect([today.code, today.printout]).toEqual([0, expect.stringMatching(/tiltakstype.*\n.*\n.* '1' .* '1' /)]);
    const own = await local('duckdb.ts', [serie, 'select count(*) as antall from siste']);
    expect(own.printout).toMatch(/antall[^]* '1' /);
    expect(await local('duckdb.ts', [join(serie, 'ingen')])).toMatchObject({
      code: 2,
      printout: expect.stringMatching(/no whole run/),
    });
  } finally {
    rmSync(serie, { recursive: true });
  }
});
