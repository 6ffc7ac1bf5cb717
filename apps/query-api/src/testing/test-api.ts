import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STORED_FIELDS } from '@tiltak/avtale';
import { deltakerIdWith, createDataSource, migrate, writeKeyCheck } from '@tiltak/database';
import {
  freePort,
  createTestDatabase,
  startTokenIssuer,
  waitUntil,
  type TokenIssuer,
  type OrganisasjonDatabase,
  type TestDatabase,
} from '@tiltak/testing';
import { readEnvironment } from '@tiltak/platform';
import type { DataSource } from 'typeorm';
import { stringify } from 'yaml';
import { SCHEMA } from '../config.ts';
import { metrics } from '../metrics.ts';
import { RESOURCES } from '../resources/resources.ts';
import { startQueryApi } from '../query-api.ts';

export const KEY = '0f'.repeat(32);
export const deltakerId = deltakerIdWith(KEY);

/** The consumers that every suite knows; `azp` is the name. */
const KONSUMENTER = [
  konsument('alt', { operasjoner: 'alle', felter: 'alle', ressurser: { virksomheter: { felter: 'alle' } } }),
  // As a registry of 1.0.0 names them.
  konsument('uten-fase', { operasjoner: 'alle', felter: [...STORED_FIELDS] }),
  konsument('smal', {
    operasjoner: ['hentTiltaksstatus'],
    felter: ['tiltakstype', 'avtaleStatus', 'startDato', 'sluttDato'],
  }),
  konsument('faa-felter', {
    operasjoner: ['sokAvtaler', 'hentUtdrag', 'hentStatistikk', 'hentTiltaksstatus'],
    felter: ['avtaleId', 'tiltakstype'],
  }),
  konsument('eksport-smal', { operasjoner: ['eksporterAvtaler'], felter: ['avtaleId', 'tiltakstype'] }),
  { ...konsument('gammel', { operasjoner: 'alle', felter: 'alle' }), graphql: { som: 'gammel' } },
  konsument('graphql-smal', { operasjoner: ['graphql'], felter: ['avtaleId', 'tiltakstype', 'sistEndret'] }),
  {
    ...konsument('to-formal', { operasjoner: 'alle', felter: 'alle' }),
    behandlingsgrunnlag: ['B1', 'B2'].map((id) =>
      grunnlag({ id, operasjoner: id === 'B1' ? 'alle' : ['hentFerskhet'], felter: 'alle' }),
    ),
  },
  {
    ...konsument('bare-mentor', { operasjoner: 'alle', felter: 'alle' }),
    behandlingsgrunnlag: [
      {
        ...grunnlag({ operasjoner: 'alle', felter: 'alle', ressurser: { virksomheter: { felter: 'alle' } } }),
        utvalg: { tiltakstyper: ['MENTOR'] },
      },
    ],
  },
  konsument('virksomhet-smal', {
    operasjoner: ['sokVirksomheter'],
    felter: ['avtaleId'],
    ressurser: { virksomheter: { felter: ['organisasjonsnummer', 'organisasjonsform'] } },
  }),
  // Of whatever a spec has made up.
  ...RESOURCES.filter(({ resource }) => resource.name !== 'virksomheter').map(({ resource: { name } }) =>
    konsument(name, { operasjoner: 'alle', felter: ['avtaleId'], ressurser: { [name]: { felter: 'alle' } } }),
  ),
  // May not search by persons.
  konsument('uten-person', { operasjoner: 'alle', felter: ['avtaleId', 'bedriftNr', 'tiltakstype', 'avtaleStatus'] }),
  // May not read which employer an avtale is with, only what that one is below.
  konsument('uten-bedrift', { operasjoner: 'alle', felter: ['avtaleId', 'hovedenhet'] }),
  { ...konsument('uten-vilkaar', { operasjoner: 'alle', felter: 'alle' }), bruksvilkaar: undefined },
  {
    ...konsument('forrige-vilkaar', {
      ...{ operasjoner: 'alle', felter: 'alle' },
      ressurser: { virksomheter: { felter: 'alle' } },
    }),
    bruksvilkaar: 1,
  },
  { ...konsument('ukjente-vilkaar', { operasjoner: 'alle', felter: 'alle' }), bruksvilkaar: 7 },
  { ...konsument('graadig', { operasjoner: 'alle', felter: 'alle' }), kvote: { perSekund: 1, burst: 3 } },
];

interface GrunnlagOptions {
  id?: string;
  ressurser?: Record<string, { felter: string | string[] }>;
  operasjoner: string | string[];
  felter: string | string[];
}

function grunnlag({ id = 'B0', ...granted }: GrunnlagOptions): GrunnlagOptions & { id: string; lenke: string } {
  return { id, lenke: `https://behandlingskatalog.example.no/${id}`, ...granted };
}

function konsument(
  name: string,
  options: GrunnlagOptions,
): { navn: string; azp: string; bruksvilkaar: number; behandlingsgrunnlag: unknown[] } {
  return { navn: name, azp: name, bruksvilkaar: 2, behandlingsgrunnlag: [grunnlag(options)] };
}

export interface TestResponse {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a client that knows nothing gets
  body: any;
}

interface CallOptions {
  /** null: without one */
  token?: string | null;
  /** the consumer, `alt` unless told otherwise */
  as?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

type Call = (method: string, path: string, options?: CallOptions) => Promise<TestResponse>;

export interface TestApi {
  url: string;
  database: TestDatabase;
  /** connected as the owner of the schema */
  owner: DataSource;
  issuer: TokenIssuer;
  call: Call;
  /** path of the registry of consumers */
  registry: string;
  /** Puts an avtale into the table, as the ingestor would. */
  insertAvtale: (avtale: Record<string, unknown> & { avtale_id: string }) => Promise<void>;
  /** What the audit holds, once it holds as many rows: a refusal is written just after its answer. */
  audit: (rows: number) => Promise<Record<string, unknown>[]>;
  /** Until each refusal is in the audit, or is known not to come there. */
  refusalsWritten: () => Promise<void>;
  /** Empties the audit, with no refusal of before on its way to it. */
  forgetAudit: () => Promise<void>;
  /** Puts a line into the change feed, as the ingestor would, and waits until its readers see all there is. */
  insertChange: (avtaleId: string, type?: 'ENDRET' | 'SLETTET') => Promise<void>;
  /** Until readers of the change feed see all there is. */
  feedSeen: () => Promise<void>;
  /** Says that everything is included up to this moment, of avtaler and of each other resource. */
  setFreshness: (time: Date) => Promise<void>;
  /** The same app once more, on the same database, with other settings. */
  startBeside: (env: Record<string, string>) => Promise<{ call: Call; stop: () => Promise<void> }>;
  /** Stops the app, and leaves its database. */
  stopApp: () => Promise<void>;
  stop: () => Promise<void>;
}

/**
 * The real app in this process, on a database of its own, with an issuer of its own.
 *
 * @param postgres another server than that of the test run, as superuser
 */
export async function startTestApi(env: Record<string, string> = {}, postgres?: string): Promise<TestApi> {
  const database = await createTestDatabase(postgres, async (made) => {
    const owner = await connectAsOwner(made);
    await migrate(owner);
    await owner.destroy();
  });
  const owner = await connectAsOwner(database);
  await writeKeyCheck(owner, deltakerId);
  const issuer = await startTokenIssuer({ port: await freePort(), audience: 'tiltak-datadeling' });
  const registry = writeRegistry();
  const start = async (
    extra: Record<string, string>,
  ): Promise<{ url: string; call: Call; stop: () => Promise<void> }> => {
    const port = await freePort();
    const stop = await startQueryApi(
      readEnvironment(SCHEMA, { ...testEnvironment(database, issuer, registry.file, port), ...extra }),
    );
    const url = `http://127.0.0.1:${String(port)}`;
    return { url, call: createCall(url, issuer), stop };
  };
  const { url, call, stop } = await start(env);
  let stopped: Promise<void> | undefined;
  const stopApp = (): Promise<void> => (stopped ??= stop());
  return {
    url,
    database,
    owner,
    issuer,
    call,
    registry: registry.file,
    insertAvtale: (avtale) => insertAvtale(owner, avtale),
    audit: (rows) => readAudit(owner, rows),
    refusalsWritten,
    forgetAudit: async () => {
      await refusalsWritten();
      await owner.query('truncate oppslagslinje');
    },
    insertChange: async (avtaleId, type = 'ENDRET') => {
      await owner.query('insert into endring (avtale_id, type) values ($1, $2)', [avtaleId, type]);
      await feedSeen(owner);
    },
    feedSeen: () => feedSeen(owner),
    setFreshness: (time) => setFreshness(owner, call, time),
    startBeside: start,
    stopApp,
    stop: async () => {
      await stopApp();
      await issuer.stop();
      await owner.destroy();
      await database.remove();
      registry.remove();
    },
  };
}

function connectAsOwner(database: OrganisasjonDatabase): Promise<DataSource> {
  return createDataSource({
    ...database,
    ...database.migrering,
    sslmode: 'disable',
    poolSize: 2,
    applicationName: 'spec',
    statementTimeoutMs: 30_000,
    connectTimeoutMs: 5_000,
  }).initialize();
}

function writeRegistry(): { file: string; remove: () => void } {
  const directory = mkdtempSync(join(tmpdir(), 'konsumenter-'));
  const file = join(directory, 'konsumenter.yaml');
  writeFileSync(file, stringify(KONSUMENTER));
  return { file, remove: () => rmSync(directory, { recursive: true }) };
}

function testEnvironment(
  database: TestDatabase,
  issuer: TokenIssuer,
  registry: string,
  port: number,
): Record<string, string> {
  return {
    ORGANISASJON: 'nav',
    HOST: '127.0.0.1',
    PORT: String(port),
    LOG_LEVEL: 'fatal',
    NEDSTENGING_VENTETID_MS: '0',
    DB_HOST: database.host,
    DB_PORT: String(database.port),
    DB_DATABASE: database.database,
    DB_USERNAME: database.queryApi.username,
    DB_PASSWORD: database.queryApi.password,
    DELTAKER_ID_NOEKKEL: KEY,
    KONSUMENTER_FIL: registry,
    AZURE_APP_CLIENT_ID: 'tiltak-datadeling',
    AZURE_OPENID_CONFIG_ISSUER: issuer.issuer,
    AZURE_OPENID_CONFIG_JWKS_URI: issuer.jwksUri,
  };
}

function createCall(url: string, issuer: TokenIssuer): Call {
  return async (method, path, { token, as = 'alt', headers = {}, body } = {}) => {
    const bearer = token === undefined ? await issuer.token({ azp: as }) : token;
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== '' ? JSON.parse(text) : text,
    };
  };
}

async function insertAvtale(owner: DataSource, avtale: Record<string, unknown>): Promise<void> {
  const ident = avtale['deltaker_fnr'];
  const row: Record<string, unknown> = {
    feilregistrert: false,
    kilde_partisjon: 0,
    kilde_offset: 0,
    sist_endret: '2026-01-01T00:00:00Z',
    ...avtale,
    ...(typeof ident === 'string' ? { deltaker_id: deltakerId(ident) } : {}),
  };
  const columns = Object.keys(row);
  const places = columns.map((_, i) => `$${String(i + 1)}`);
  await owner.query(`insert into avtale (${columns.join(', ')}) values (${places.join(', ')})`, Object.values(row));
}

async function readAudit(owner: DataSource, count: number): Promise<Record<string, unknown>[]> {
  let rows: Record<string, unknown>[] = [];
  const enough = async (): Promise<boolean> => {
    rows = await owner.query('select * from oppslag order by id');
    return rows.length >= count;
  };
  await waitUntil(enough, { what: `${String(count)} rows in the audit`, everyMs: 10 });
  return rows;
}

/** Of each app of this process. */
async function refusalsWritten(): Promise<void> {
  const waiting = async (): Promise<number | undefined> => (await metrics.denialsWaiting.get()).values[0]?.value;
  await waitUntil(async () => (await waiting()) === 0, { what: 'the refusals to be written', everyMs: 5 });
}

/** The feed shows what is committed when no transaction from before it is open, in any database of the server: other specs have some. */
async function feedSeen(owner: DataSource): Promise<void> {
  const [{ now = '' } = {}] = await owner.query<{ now: string }[]>(
    'select pg_snapshot_xmax(pg_current_snapshot()) as now',
  );
  const isOver = 'select pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 as over';
  await waitUntil(async () => (await owner.query<{ over: boolean }[]>(isOver, [now]))[0]?.over === true, {
    what: 'the feed to show all that is committed',
    everyMs: 10,
  });
}

async function setFreshness(owner: DataSource, call: Call, time: Date): Promise<void> {
  await owner.query(
    `insert into konsum_status values ('t', 0, 0, $1) on conflict (topic, partisjon) do update set oppdatert_til = excluded.oppdatert_til`,
    [time],
  );
  await owner.query(
    `insert into ressurs_status select name, name, 0, 0, $1 from unnest($2::text[]) name
     on conflict (topic, partisjon) do update set oppdatert_til = excluded.oppdatert_til`,
    [time, RESOURCES.map(({ resource }) => resource.name)],
  );
  await waitUntil(async () => (await call('GET', '/api/v1/ferskhet')).body.dataOppdatert === time.toISOString(), {
    what: 'freshness to be seen',
  });
}
