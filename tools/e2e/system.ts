import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import {
  freePort,
  createTestDatabase,
  createTestTopic,
  onDuty,
  ROOT,
  startTokenIssuer,
  testEnvironment,
  waitUntil,
  type OrganisasjonDatabase,
  type PostgresGroup,
  type TokenIssuer,
  type Placement,
  type TestDatabase,
  type TestTopic,
} from '@tiltak/testing';
import {
  clientId,
  migrateDatabase,
  startIngestorProcess,
  startQueryApiProcess,
  waitUntilReady,
  type App,
  type Surroundings,
} from '../local/apps.ts';
import { OneAddress } from '../local/one-address.ts';
import { readLocalKonsumenter } from '../local/token.ts';
import { expected } from '@tiltak/simulator';
import { Published } from './published.ts';
import { readMessages } from './topic.ts';

export interface PublishedMessage {
  key: string | Buffer | null;
  value: string | Buffer | null;
}

interface SystemOptions {
  organisasjon: string;
  partitions: number;
  postgres: string;
  /** in the place of `postgres`; look-ups read from its replica, when it has one */
  group: PostgresGroup;
  brokers: string;
  issuer: TokenIssuer;
  migrated: boolean;
  /** one that is there already, and that stays: filled beforehand */
  database: OrganisasjonDatabase;
}

/** Key of the opaque ids of participants, hex. */
const DELTAKER_ID_KEY = 'ab'.repeat(32);

/** The opaque id of a participant, for who puts rows straight into the database. */
export function deltakerIdOf(fnr: string): string {
  const hex = createHmac('sha256', Buffer.from(DELTAKER_ID_KEY, 'hex')).update(fnr).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The built apps as real processes, on a database and a topic of their own. */
export class System {
  private readonly apps: App[] = [];
  private readonly readyApps: App[] = [];
  private readonly addresses: OneAddress[] = [];
  private published: (PublishedMessage & Placement)[] = [];
  /** what an answer may say, and what it may not */
  readonly history = new Published();

  /** what the apps are told of where they run */
  readonly env: Surroundings;
  private readonly database: TestDatabase;
  private readonly topic: TestTopic;
  private readonly issuer: TokenIssuer;
  private readonly ownIssuer: boolean;
  private readonly ownTopic: boolean;

  private constructor(
    surroundings: Surroundings,
    database: TestDatabase,
    { topic, own: ownTopic }: { topic: TestTopic; own: boolean },
    { issuer, own }: { issuer: TokenIssuer; own: boolean },
  ) {
    this.env = surroundings;
    this.database = database;
    this.topic = topic;
    this.issuer = issuer;
    this.ownIssuer = own;
    this.ownTopic = ownTopic;
  }

  /**
   * Nothing is started yet but what the apps need, and the database is migrated unless told otherwise. `postgres`, `brokers` and `issuer`: others than those of the test run;
   * an issuer that is given is not stopped here.
   */
  static async create({
    organisasjon = 'nav',
    partitions = 3,
    group,
    postgres = group?.url ?? testEnvironment().postgres,
    brokers = testEnvironment().kafka,
    issuer: sharedIssuer,
    migrated = true,
    database: given,
  }: Partial<SystemOptions> = {}): Promise<System> {
    const migrate = (to: OrganisasjonDatabase): Promise<void> => migrateDatabase({ organisasjon, database: to });
    if (given && migrated) await migrate(given);
    const [database, topic, issuer] = await Promise.all([
      given ? kept(given) : createTestDatabase(postgres, migrated ? migrate : undefined),
      createTestTopic({ partitions, brokers }),
      sharedIssuer ?? freePort().then((port) => startTokenIssuer({ port, audience: clientId(organisasjon) })),
    ]);
    const surroundings: Surroundings = {
      organisasjon,
      database,
      replica: group?.replica?.port,
      brokers,
      topic: topic.topic,
      adapterMayWrite: 'ja',
      issuer: issuer.issuer,
      jwksUri: issuer.jwksUri,
      deltakerIdKey: DELTAKER_ID_KEY,
      konsumenter: join(ROOT, 'tools', 'local', 'konsumenter.yaml'),
    };
    return new System(surroundings, database, { topic, own: true }, { issuer, own: !sharedIssuer });
  }

  /** The same topic, read into an empty database from its start. Stop it before the system that it was made from. */
  async onEmptyDatabase(postgres = testEnvironment().postgres): Promise<System> {
    const database = await createTestDatabase(postgres, (to) => migrateDatabase({ ...this.env, database: to }));
    const { topic, issuer } = this;
    const surroundings = { ...this.env, database, replica: undefined };
    return new System(surroundings, database, { topic, own: false }, { issuer, own: false });
  }

  /** @param port a free one, unless it takes the place of one that has ended */
  async startIngestor(extra: Record<string, string> = {}, port?: number): Promise<App> {
    const app = startIngestorProcess(this.env, port ?? (await freePort()), {
      KAFKA_GROUP_ID: this.topic.topic,
      ...extra,
    });
    return this.ready(app);
  }

  async startQueryApi(extra: Record<string, string> = {}): Promise<App> {
    const app = startQueryApiProcess(this.env, await freePort(), extra);
    return this.ready(app);
  }

  /** So many behind one address, which more may join: `address.join(await system.startQueryApi())`. */
  async startQueryApis(
    count: number,
    extra: Record<string, string> = {},
  ): Promise<{ address: OneAddress; apps: App[] }> {
    const address = await OneAddress.start(await freePort());
    this.addresses.push(address);
    const apps = await Promise.all(Array.from({ length: count }, () => this.startQueryApi(extra)));
    for (const app of apps) address.join(app);
    return { address, apps };
  }

  private async ready(app: App): Promise<App> {
    this.apps.push(app);
    await waitUntilReady(app);
    this.readyApps.push(app);
    return app;
  }

  /** Of every app that was started. */
  logFiles(): string[] {
    return this.apps.map(({ logFile }) => logFile);
  }

  /** The headers of a call as a consumer of the local registry. */
  async as(name: string): Promise<Record<string, string>> {
    const azp = readLocalKonsumenter().find((konsument) => konsument.navn === name)?.azp ?? name;
    return { authorization: `Bearer ${await this.token({ azp })}`, 'content-type': 'application/json' };
  }

  /** A token of somebody on duty. */
  tokenForOnDuty(): Promise<string> {
    return this.token({ azp: clientId(this.env.organisasjon), claims: onDuty() });
  }

  /** A token of the organisation's adapter. */
  tokenForAdapter(): Promise<string> {
    const { organisasjon } = this.env;
    return this.token({ azp: 'adapter', claims: { scope: 'tiltak:adapter', organisasjon } });
  }

  /** A token for the organisation's apps. */
  token(options: { azp: string; audience?: string; claims?: Record<string, unknown> }): Promise<string> {
    return this.issuer.token({ audience: clientId(this.env.organisasjon), ...options });
  }

  async publish(messages: readonly PublishedMessage[]): Promise<void> {
    const sentAt = Date.now();
    const placements = await this.topic.publish(messages);
    this.history.note(messages, placements, { sentAt, ackedAt: Date.now() });
    for (const [i, message] of messages.entries()) {
      const position = placements[i];
      if (position) this.published.push({ ...message, ...position });
    }
  }

  /**
   * The same, and again until the broker has said that it keeps them. What it kept and could not tell of is then there
   * twice: `readTopic` before what is stored is compared.
   */
  async publishUntilKept(messages: readonly PublishedMessage[]): Promise<void> {
    const sentAt = Date.now();
    const placements = await waitUntil(() => this.topic.publish(messages).catch(() => undefined), {
      what: 'the broker to keep what is published',
      maxMs: 120_000,
    });
    this.history.note(messages, placements, { sentAt, ackedAt: Date.now() });
  }

  /** What is on the topic is what was published, whoever wrote it, and however often. */
  async readTopic(): Promise<void> {
    this.published = await readMessages(this.env.brokers, this.env.topic);
  }

  /** As superuser, on a connection of its own: also when the database has been away. */
  async sql<T extends pg.QueryResultRow>(query: string, values: unknown[] = []): Promise<T[]> {
    const client = new pg.Client({ connectionString: this.database.url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<T>(query, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** How many of the published messages are stored. */
  async ingested(): Promise<number> {
    const [row] = await this.sql<{ n: string }>('select coalesce(sum(neste_offset), 0) as n from konsum_offset');
    return Number(row?.n);
  }

  /** Waits until everything published is stored. */
  async waitForIngested(maxMs = 60_000): Promise<void> {
    await waitUntil(async () => (await this.ingested().catch(() => -1)) === this.published.length, {
      what: 'everything published to be stored',
      maxMs,
      everyMs: 100,
    });
  }

  /** One more; nothing that is published here goes to it. */
  async addPartition(): Promise<void> {
    const { topic, admin } = this.topic;
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const count = (topics[0]?.partitions.length ?? 0) + 1;
    await admin.createPartitions({ topicPartitions: [{ topic, count }] });
  }

  /** How many messages were ever written to the topic, by anyone. */
  async onTopic(): Promise<number> {
    const { topic, admin } = this.topic;
    return (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
  }

  /** Waits until everything on the topic is stored, whoever wrote it. */
  async waitForTopic(maxMs = 60_000): Promise<void> {
    await waitUntil(async () => (await this.ingested().catch(() => -1)) === (await this.onTopic()), {
      what: 'everything on the topic to be stored',
      maxMs,
      everyMs: 100,
    });
  }

  /** Of the database, as superuser. */
  get url(): string {
    return this.database.url;
  }

  /** Messages per second while `fra` to `antall` of them are stored. The time before the first is stored is not counted. */
  async measureIngest(count: number, from = 0): Promise<number> {
    const first = await waitUntil(async () => (await this.ingested()) > from && (await this.ingested()), {
      what: 'the first messages',
      everyMs: 10,
    });
    const begun = performance.now();
    await this.waitForIngested(600_000);
    return (count - first) / ((performance.now() - begun) / 1_000);
  }

  /** That what is stored is as many as the contract says. */
  async checkCount(): Promise<void> {
    const { avtaler, slettet: deleted } = expected(this.published);
    const [row] = await this.sql<{ levende: number; slettet: number }>(
      'select (count(*) filter (where slettet is null))::int as levende, (count(slettet))::int as slettet from avtale',
    );
    if (row?.levende !== avtaler.size || row.slettet !== deleted.size)
      throw new Error('What is stored is not what was published');
  }

  /** That everything published is stored, beside whatever else there is. */
  async checkPublished(): Promise<void> {
    const ids = [...expected(this.published).avtaler.keys()];
    const [row] = await this.sql<{ antall: number }>(
      'select count(*)::int as antall from avtale where avtale_id = any($1) and slettet is null',
      [ids],
    );
    if (row?.antall !== ids.length) throw new Error('Not everything that was published is stored');
  }

  /** What is stored, in the form of `fasit`. */
  async state(): Promise<State> {
    const rows = await this.sql<Record<string, unknown> & { avtaleId: string; slettet: string | null }>(READ_AVTALER);
    const living = rows.filter(({ slettet: deleted }) => deleted === null).map(({ slettet: _, ...avtale }) => avtale);
    const parked = await this.sql<State['parkert'][number]>(
      'select partisjon, kafka_offset::int as "offset", felt from parkert_melding order by 1, 2',
    );
    return {
      avtaler: living,
      slettet: rows.filter(({ slettet: deleted }) => deleted !== null).map(({ avtaleId }) => avtaleId),
      parkert: parked,
    };
  }

  /** What must be stored, computed from the source contract and from nothing of the ingestor's code. */
  oracle(): State {
    const { avtaler, slettet: deleted, parkert: parked } = expected(this.published);
    const byId = <T extends { avtaleId: string }>(a: T, b: T): number => (a.avtaleId < b.avtaleId ? -1 : 1);
    return {
      avtaler: [...avtaler.values()].map((avtale) => ({ ...avtale })).sort(byId),
      slettet: [...deleted.keys()].sort(),
      parkert: parked
        .map(({ partisjon: partition, offset, felt: field }) => ({ partisjon: partition, offset, felt: field }))
        .sort((a, b) => a.partisjon - b.partisjon || a.offset - b.offset),
    };
  }

  /** @throws when an app that was ready has ended by itself, with its last line */
  async stop(): Promise<void> {
    const dead = this.readyApps.find(({ proc }) => !EXPECTED_OUTCOMES.includes(proc.outcome()));
    await Promise.all([
      ...this.apps.map(({ proc }) => proc.stop(10_000)),
      ...this.addresses.map((address) => address.stop()),
    ]);
    if (this.ownIssuer) await this.issuer.stop();
    if (dead) {
      throw new Error(`${dead.navn} ended by itself, ${String(dead.proc.outcome())}: ${lastLine(dead.logFile)}`);
    }
    await Promise.all([this.ownTopic && this.topic.remove(), this.database.remove()]);
  }
}

async function kept(database: OrganisasjonDatabase): Promise<TestDatabase> {
  return Promise.resolve({ ...database, remove: () => Promise.resolve() });
}

/** As the tests end them. */
const EXPECTED_OUTCOMES: readonly (string | undefined)[] = [undefined, 'exit code 0', 'SIGKILL'];

const lastLine = (file: string): string => readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '';

export interface State {
  avtaler: { avtaleId: string }[];
  slettet: string[];
  parkert: { partisjon: number; offset: number; felt: string | null }[];
}

const time = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const READ_AVTALER = `
  select avtale_id as "avtaleId", avtale_nr as "avtaleNr", deltaker_fnr as "deltakerFnr", bedrift_nr as "bedriftNr",
    bedrift_navn as "bedriftNavn", veileder_nav_ident as "veilederNavIdent", tiltakstype, versjon,
    avtale_status as "avtaleStatus", ${time('avtale_inngaatt')} as "avtaleInngaatt", start_dato::text as "startDato",
    slutt_dato::text as "sluttDato", stillingprosent, antall_dager_per_uke as "antallDagerPerUke", stillingstype,
    ${time('godkjent_av_deltaker')} as "godkjentAvDeltaker", ${time('godkjent_av_arbeidsgiver')} as "godkjentAvArbeidsgiver",
    ${time('godkjent_av_veileder')} as "godkjentAvVeileder", ${time('godkjent_av_beslutter')} as "godkjentAvBeslutter",
    godkjent_av_nav_ident as "godkjentAvNavIdent", godkjent_av_beslutter_nav_ident as "godkjentAvBeslutterNavIdent",
    godkjent_paa_vegne_av as "godkjentPaaVegneAv", godkjent_paa_vegne_av_arbeidsgiver as "godkjentPaaVegneAvArbeidsgiver",
    opphav, ${time('opprettet_tidspunkt')} as "opprettetTidspunkt", ${time('annullert_tidspunkt')} as "annullertTidspunkt",
    feilregistrert, ${time('sist_endret')} as "sistEndret", slettet
  from avtale order by avtale_id`;
