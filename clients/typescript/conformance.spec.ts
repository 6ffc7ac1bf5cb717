import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import {
  answerOf,
  clientCredentials,
  createQueryApiClient,
  followAvtaler,
  MemoryStore,
  PostgresStore,
  readChanges,
  readExport,
  readPages,
  type ClientCredentialsOptions,
  type CopiedAvtale,
  type Exported,
  type FollowOptions,
  type Progress,
  type QueryApiClient,
  type Schemas,
  type Store,
} from './client.ts';
import { answerFrom, idOf, numberOf, readScenarios, type Scenario } from './testing/scenario.ts';
import { Service } from './testing/service.ts';

/** What clients of all languages do, by clients/conformance/scenarios.yaml; ConformanceTest.kt plays the same. */
const server = process.env['TEST_POSTGRES_URL'];
const name = `klient_${randomUUID().replaceAll('-', '')}`;
let pool: pg.Pool;
let service: Service;

beforeAll(async () => {
  await onServer(`create database ${name}`);
  const url = new URL(server ?? '');
  url.pathname = `/${name}`;
  pool = new pg.Pool({ connectionString: url.href, max: 3 });
  await pool.query('create table notert (kopi text not null, hva text not null)');
});
beforeEach(async () => void (service = await Service.start()));
afterEach(() => service.stop());
afterAll(async () => {
  await pool.end();
  await onServer(`drop database ${name} with (force)`);
});

async function onServer(command: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(command);
  await client.end();
}

type With = Record<string, unknown>;

test.each(readScenarios().map((scenario, n) => ({ ...scenario, n })))('$name', async ({ n, ...scenario }) => {
  service.answers = (scenario.answers ?? []).map(answerFrom);
  const waits: string[] = [];
  const { budgetMs = 20_000, timeoutMs = 10_000, behandlingsgrunnlag, credentials } = scenario.client ?? {};
  const client = createQueryApiClient({
    ...{ baseUrl: service.url, budgetMs, timeoutMs, behandlingsgrunnlag },
    getToken: credentials ? clientCredentials(issuer()) : (refused) => (refused === undefined ? 'first' : 'second'),
    onRetry: ({ why }) => waits.push(why),
  });
  const from = performance.now();
  const outcome = await play(scenario, client, `kopi_${String(n)}`).then(
    (result) => ({ result }),
    (error: unknown) => ({ error: told(error) }),
  );
  const ms = performance.now() - from;
  if (scenario.error) expect(outcome).toMatchObject({ error: scenario.error });
  else expect(outcome).toMatchObject({ result: scenario.result });
  expectRequests(scenario);
  for (const path of scenario.absent ?? []) expect(outcome).not.toHaveProperty(`result.${path}`);
  if (scenario.letGo) await service.letGo();
  if (scenario.waits) expect(waits).toEqual(scenario.waits);
  expect(ms).toBeGreaterThanOrEqual(scenario.atLeastMs ?? 0);
});

function expectRequests({ requests, requestCount = requests?.length, oneCall }: Scenario): void {
  if (requestCount !== undefined) expect(service.seen).toHaveLength(requestCount);
  const seen = service.seen.map(({ url: path, ...rest }) => ({ path, ...rest }));
  for (const [i, request] of (requests ?? []).entries()) expect(seen[i]).toMatchObject(request);
  if (oneCall) {
    const [first, ...others] = service.seen.map(({ headers }) => headers['nav-call-id']);
    expect(first).toMatch(/^[\w-]{36}$/);
    expect(others.length).toBeGreaterThan(0);
    expect(new Set(others)).toEqual(new Set([first]));
  }
}

async function play({ do: what, with: given = {} }: Scenario, client: QueryApiClient, table: string): Promise<unknown> {
  switch (what) {
    case 'search':
      return answerOf(client.POST('/api/v1/avtaler/sok', { body: given }));
    case 'status':
      return answerOf(client.POST('/api/v1/personer/tiltaksstatus', { body: given }));
    case 'get': {
      const params = { path: { avtaleId: idOf(Number(given['avtale'])) } };
      return answerOf(client.GET('/api/v1/avtaler/{avtaleId}', { params }));
    }
    case 'pages':
      return toArray(readPages(client, given));
    case 'export': {
      const { position, count, updatedTo, avtaler } = await exportOf(client, given);
      const all = (await toArray(avtaler)).flat();
      return { position, count, updatedTo: updatedTo?.toISOString(), read: all.length, first: all[0] };
    }
    case 'changes': {
      const page = await readChanges(client, given as unknown as Parameters<typeof readChanges>[1]);
      const { gone, updatedTo, lastChange, ...rest } = page;
      const moments = { updatedTo: updatedTo?.toISOString(), lastChange: lastChange?.toISOString() ?? null };
      return { ...rest, ...moments, gone: gone.map(numberOf).sort() };
    }
    case 'follow':
      return follow(client, given, table);
    case 'store':
      return move(given, table);
    case 'tokens':
      return takeTokens(given['steps'] as { waitMs?: number; refused?: string }[]);
  }
  throw new Error(`There is no ${what}`);
}

function issuer(): ClientCredentialsOptions {
  const tokenEndpoint = `${service.url}/token`;
  return { tokenEndpoint, clientId: 'me', clientSecret: 's3cret', scope: 'api://x/.default' };
}

async function takeTokens(steps: { waitMs?: number; refused?: string }[]): Promise<string[]> {
  const provide = clientCredentials(issuer());
  const tokens: string[] = [];
  for (const { waitMs = 0, refused } of steps) {
    await wait(waitMs);
    tokens.push(await provide(refused));
  }
  return tokens;
}

interface TestStore {
  store: Store<CopiedAvtale>;
  read: () => Promise<CopiedAvtale[]>;
}

async function createStore(kind: unknown, table: string, failures = 0): Promise<TestStore> {
  if (kind === 'memory') {
    const store = new MemoryStore<CopiedAvtale>();
    return { store, read: () => Promise.resolve([...store.avtaler.values()].sort(byId)) };
  }
  const note = 'insert into notert (kopi, hva) values ($1, $2)';
  let left = failures;
  const store = new PostgresStore<CopiedAvtale>({
    pool,
    table,
    onChange: async (db, { position }) => {
      await db.query(note, [table, position]);
      if (left-- > 0) throw new Error('The consumer’s own');
    },
    onReplaced: async (db) => void (await db.query(note, [table, 'everything'])),
  });
  await store.createTables();
  const read = async (): Promise<CopiedAvtale[]> =>
    (await pool.query<{ innhold: CopiedAvtale }>(`select innhold from ${table} order by avtale_id`)).rows.map(
      ({ innhold }) => innhold,
    );
  return { store, read };
}

async function follow(client: QueryApiClient, given: With, table: string): Promise<unknown> {
  const { store, read } = await createStore(given['store'], table, Number(given['onChangeFails'] ?? 0));
  const from = given['from'] as { position: string; copy: number[] } | undefined;
  if (from) await store.replaceAll(batchOf(from.copy), from.position, undefined);
  const [steps, exporting, failed] = [[] as Progress[], [] as number[], [] as unknown[]];
  const copies: Promise<unknown>[] = [];
  const retried: Promise<unknown>[] = [];
  const stop = new AbortController();
  // Read when the store is asked for the next time: it waits for what was read here.
  const slow: Store<CopiedAvtale> = {
    apply: (change) => store.apply(change),
    replaceAll: (...all) => store.replaceAll(...all),
    readPosition: async () => {
      await Promise.all([...copies, ...retried]);
      return store.readPosition();
    },
  };
  const felter = felterOf(given);
  const ids = async (): Promise<number[]> => (await read()).map(({ avtaleId }) => numberOf(avtaleId));
  const options: FollowOptions<CopiedAvtale> = {
    ...{ client, store: slow, signal: stop.signal, waitSeconds: 0, ...subsetOf(given) },
    onProgress: (progress) => {
      if (progress.step === 'EXPORTING') return void exporting.push(progress.stored);
      steps.push(progress);
      copies.push(ids());
      if (steps.length === given['steps']) stop.abort();
    },
    onRetry: (error) => {
      failed.push(error);
      retried.push(Promise.all([store.readPosition(), ids()]));
    },
  };
  await (felter ? followAvtaler({ ...options, felter }) : followAvtaler(options));
  const [seen, before] = [await Promise.all(copies), (await Promise.all(retried)) as unknown[][]];
  const noted = await pool.query<{ hva: string }>('select hva from notert where kopi = $1', [table]);
  return {
    exporting,
    steps: steps.map(({ lagMs, total, ...step }, i) => ({
      ...step,
      hasLag: lagMs !== undefined,
      total: total ?? null,
      copy: seen[i],
    })),
    place: (await store.readPosition()) ?? null,
    retried: failed.map((error, i) => ({ ...told(error), position: before[i]?.[0] ?? null, copy: before[i]?.[1] })),
    stored: await read(),
    noted: noted.rows.map(({ hva }) => hva),
  };
}

function subsetOf({ abonnement }: With): { abonnement?: string } {
  return typeof abonnement === 'string' ? { abonnement } : {};
}

const felterOf = (given: With): Schemas['Avtalefelt'][] | undefined => given['felter'] as Schemas['Avtalefelt'][];

function exportOf(client: QueryApiClient, given: With): Promise<Exported<CopiedAvtale>> {
  const felter = felterOf(given);
  return felter ? readExport(client, { ...subsetOf(given), felter }) : readExport(client, subsetOf(given));
}

interface Move {
  replaceAll?: number[];
  apply?: number[];
  gone?: number[];
  after?: string;
  position: string;
  instead?: string | null;
}

async function move(given: With, table: string): Promise<unknown[]> {
  const { store, read } = await createStore(given['store'], table);
  const results: unknown[] = [];
  for (const one of given['moves'] as Move[]) {
    const { replaceAll, apply, gone = [], after = '', position, instead } = one;
    const avtaler = (apply ?? []).map((n) => ({ avtaleId: idOf(n) }));
    const taken = replaceAll
      ? await store.replaceAll(batchOf(replaceAll), position, instead ?? undefined)
      : await store.apply({ avtaler, gone: gone.map(idOf), after, position });
    const copy = (await read()).map(({ avtaleId }) => numberOf(avtaleId));
    results.push({ taken, position: await store.readPosition(), copy });
  }
  return results;
}

async function* batchOf(ids: number[]): AsyncGenerator<CopiedAvtale[]> {
  yield await Promise.resolve(ids.map((n) => ({ avtaleId: idOf(n) })));
}

async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const byId = (a: CopiedAvtale, b: CopiedAvtale): number => (a.avtaleId < b.avtaleId ? -1 : 1);

function whyOf({ message, cause }: Error): string {
  return cause instanceof Error ? whyOf(cause) : message;
}

function told(error: unknown): Record<string, unknown> {
  const { message, status, code, callId, mayPass } = error as Record<string, unknown>;
  return {
    kind: (error as Error).constructor.name,
    message,
    status,
    code,
    callId,
    mayPass,
    why: whyOf(error as Error),
  };
}
