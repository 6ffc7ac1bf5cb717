import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createWorkDir,
  freePort,
  ROOT,
  startKafka,
  startPostgres,
  startProcess,
  startTokenIssuer,
  runProgram,
  type LocalKafka,
  type LocalPostgres,
  type TokenIssuer,
} from '@tiltak/testing';
import pg from 'pg';
import { parse } from 'yaml';
import { builtApp, waitUntilReady, type App } from './apps.ts';
import { createSampleTopic } from './sample-data.ts';
import { fetchMaskinportenToken, fetchToken, readLocalKonsumenter } from './token.ts';

/**
 * What docker-compose.yml starts, with the very environment and logins that it gives, on this machine: there is no Docker
 * where the tests run. Only where its hosts are is another matter: a program that is loaded first tells each process.
 */
const { services } = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  services: Record<string, { environment: Record<string, string>; command?: string[]; volumes?: string[] }>;
};
const { directory, clean } = createWorkDir('compose');
const logOf = (name: string): string => join(directory, `${name}.log`);

let postgres: LocalPostgres;
let kafka: LocalKafka;
let issuer: TokenIssuer;
const apps: App[] = [];

beforeAll(async () => {
  [postgres, kafka, issuer] = await Promise.all([
    freePort().then((port) =>
      startPostgres({ port, dataDir: join(directory, 'pg'), logFile: logOf('pg'), throwaway: true }),
    ),
    freePort().then((port) => startKafka({ port, dataDir: join(directory, 'kafka'), logFile: logOf('kafka') })),
    startTokenIssuer({ port: 0, audience: 'tiltak-datadeling-nav', url: 'http://issuer:8090' }),
  ]);
  await makeLogins();
  const made =
    services['topics']?.command
      ?.at(-1)
      ?.match(/ in ([^;]*);/)?.[1]
      ?.split(' ') ?? [];
  for (const topic of made) await createSampleTopic(kafka.brokers, topic);
  const migration = services['migrering'];
  const { code, printout } = await runProgram(process.execPath, [builtApp('ingestor'), 'migrer'], {
    cwd: ROOT,
    env: environmentOf(migration, 0),
  });
  expect([code, printout]).toEqual([0, expect.any(String)]);
}, 180_000);
afterAll(async () => {
  await Promise.all(apps.map(({ proc }) => proc.stop()));
  await Promise.all([issuer.stop(), postgres.stop(), kafka.stop()]);
  clean();
}, 60_000);

/** As the container of Postgres does when it has no data. */
async function makeLogins(): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  const script = readFileSync(join(ROOT, 'tools', 'local', 'compose', 'roles.sql'), 'utf8');
  // A database can't be made among other statements.
  for (const statement of script.split(/;\n/).filter((text) => text.trim() !== '')) await client.query(statement);
  await client.end();
}

/** What a container is told; its files are those that are mounted, and its hosts are ports of this machine. */
function environmentOf(service: (typeof services)[string] | undefined, port: number): NodeJS.ProcessEnv {
  const { environment = {}, volumes = [] } = service ?? {};
  const mounted = Object.fromEntries(
    volumes.map((volume) => volume.split(':')).map(([own = '', path = '']) => [path, join(ROOT, own)]),
  );
  const told = Object.entries(environment).map(([name, value]) => [name, mounted[value] ?? value]);
  const hosts = {
    'postgres:5432': postgres.port,
    'kafka:9092': Number(kafka.brokers.split(':')[1]),
    'issuer:8090': Number(new URL(issuer.address).port),
  };
  const loaded = join(directory, 'hosts.mjs');
  writeFileSync(loaded, HOSTS.replace('HOSTS', JSON.stringify(hosts)));
  const [listens, path] = [{ PORT: String(port), HOST: '127.0.0.1' }, process.env['PATH']];
  // As in the image.
  return {
    NODE_ENV: 'production',
    ...Object.fromEntries(told),
    ...listens,
    PATH: path,
    NODE_OPTIONS: `--import ${loaded}`,
  };
}

const HOSTS = `
import { Socket } from 'node:net';
const hosts = HOSTS;
const { connect } = Socket.prototype;
Socket.prototype.connect = function (...given) {
  const options = Array.isArray(given[0]) ? given[0][0] : given[0];
  if (typeof options === 'number') {
    const port = hosts[given[1] + ':' + options];
    if (port) given.splice(0, 2, port, '127.0.0.1');
  } else {
    const port = hosts[options?.host + ':' + options?.port];
    if (port) Object.assign(options, { host: '127.0.0.1', port });
  }
  return connect.apply(this, given);
};
`;

async function start(name: 'ingestor' | 'query-api' | 'revisor'): Promise<string> {
  const port = await freePort();
  const program = [builtApp(name === 'ingestor' ? name : 'query-api'), ...(name === 'revisor' ? [name] : [])];
  const env = environmentOf(services[name], port);
  const proc = startProcess(process.execPath, program, logOf(name), { cwd: ROOT, env });
  const app = { navn: name, url: `http://127.0.0.1:${String(port)}`, proc, logFile: logOf(name) };
  apps.push(app);
  await waitUntilReady(app);
  return app.url;
}

async function statusOf(url: string, token: string, body?: object): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(url, body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers });
  return response.status;
}

test('with containers, tokens of both issuers are taken, and auditors have their page', async () => {
  const [ingestor, queryApi, revisor] = [await start('ingestor'), await start('query-api'), await start('revisor')];
  const azp = readLocalKonsumenter().find(({ navn: name }) => name === 'alt')?.azp ?? '';
  const outside = (scope: string, orgnr: string): Promise<string> =>
    fetchMaskinportenToken(issuer.address, { orgnr, scope, audience: 'tiltak-datadeling-nav' });
  const auditor = await fetchToken(issuer.address, 'nettleser', {
    ...{ navIdent: 'Z990002', role: 'revisor', audience: 'tiltak-datadeling-revisor-nav' },
  });
  const own = await fetchToken(issuer.address, azp);
  const onDuty = await fetchToken(issuer.address, 'nettleser', { navIdent: 'Z990001' });

  const freshness = `${queryApi}/api/v1/tilgang`;
  expect(await statusOf(freshness, own)).toBe(200);
  expect(await statusOf(freshness, await outside('nav:tiltak/nav.les', '310100005'))).toBe(200);
  expect(await statusOf(freshness, await outside('nav:tiltak/nav.adapter', '310100005'))).toBe(403);
  expect(await statusOf(freshness, auditor)).toBe(401);

  expect(await statusOf(`${ingestor}/drift/v1/status`, onDuty)).toBe(200);
  // Nav's own organisation number is let in, and has no contract yet; another is not.
  const adapter = `${ingestor}/adapter/v1/status`;
  expect(await statusOf(adapter, await outside('nav:tiltak/nav.adapter', '310104116'))).toBe(409);
  expect(await statusOf(adapter, await outside('nav:tiltak/nav.adapter', '310100005'))).toBe(403);

  const asked = { person: '0'.repeat(11), begrunnelse: 'Prøver at siden svarer, lokalt' };
  expect((await fetch(`${revisor}/revisor`)).status).toBe(200);
  expect(await statusOf(`${revisor}/revisor/v1/oppslag`, auditor, asked)).toBe(200);
  expect(await statusOf(`${revisor}/revisor/v1/oppslag`, onDuty, asked)).toBe(401);
}, 120_000);

test('the apps do not start with it where an issuer is a real one', async () => {
  const env = environmentOf(services['query-api'], await freePort());
  for (const more of [{ MASKINPORTEN_ISSUER: 'https://maskinporten.no/' }, { NAIS_CLUSTER_NAME: 'prod-gcp' }]) {
    const { code, printout } = await runProgram(process.execPath, [builtApp('query-api')], {
      cwd: ROOT,
      env: { ...env, ...more },
    });
    expect([code, printout]).toEqual([1, expect.stringContaining('LOKAL_UTSTEDER is for a local stack only')]);
  }
});
