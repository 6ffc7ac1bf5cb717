import { readEnvironment, logger, startHttp } from '@tiltak/platform';
import { freePort, startTokenIssuer } from '@tiltak/testing';
import { SCHEMA } from '../config.ts';
import { Publisher } from '../kafka/publisher.ts';
import { allowLargePages } from '../adapter/body-limit.ts';
import { Syncs } from '../adapter/sync.ts';
import { Avstemming } from '../avstemming/avstemming.ts';
import { acceptLists } from '../avstemming/source-list.ts';
import { AvstemmingRepair } from '../avstemming/repair.ts';
import { Rebuild } from '../operations/rebuild/rebuild.job.ts';
import { IngestorModule } from '../ingestor.module.ts';
import { createKafka } from '../kafka/client.ts';
import { Topic } from '../kafka/topic-reader.ts';
import { startTestIngest, TOPIC, type TestIngest } from './test-ingest.ts';

export interface TestResponse {
  status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a client that knows nothing gets
  body: any;
}

export interface TestIngestor extends TestIngest {
  publisering: Publisher;
  synker: Syncs;
  /** Where the topic ends, as a reconciliation sees it. */
  sluttOffset: (end: number) => void;
  url: string;
  /** Of somebody on duty. */
  token: () => Promise<string>;
  /** As somebody on duty, with JSON or, as text, NDJSON; unless other claims are given; `null`: without a token. */
  call: (
    method: string,
    path: string,
    body?: unknown,
    claims?: Record<string, unknown> | null,
  ) => Promise<TestResponse>;
}

const GUARD = { roles: ['drift'], preferred_username: 'vakt@nav.example' };

/** Everything over HTTP, on a database of its own; without Kafka, unless told where. */
export async function startTestIngestor({ brokers = ['127.0.0.1:1'], topic = TOPIC } = {}): Promise<TestIngestor> {
  const setup = await startTestIngest();
  const issuer = await startTokenIssuer({ port: await freePort(), audience: 'tiltak-datadeling' });
  const config = readEnvironment(SCHEMA, {
    ORGANISASJON: 'nav',
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
    LOG_LEVEL: 'fatal',
    NEDSTENGING_VENTETID_MS: '0',
    DB_HOST: 'brukes-ikke',
    DB_PORT: '1',
    DB_DATABASE: 'brukes-ikke',
    DB_USERNAME: 'brukes-ikke',
    DB_PASSWORD: 'brukes-ikke',
    KAFKA_BROKERS: 'brukes-ikke:1',
    DELTAKER_ID_NOEKKEL: 'ab'.repeat(32),
    AZURE_APP_CLIENT_ID: 'tiltak-datadeling',
    AZURE_OPENID_CONFIG_ISSUER: issuer.issuer,
    AZURE_OPENID_CONFIG_JWKS_URI: issuer.jwksUri,
  });
  logger.level = 'fatal';
  const { pool, innlesning: ingest } = setup;
  const tail = { partition: 0, start: 0, end: 0 };
  const withoutKafka = new Topic(
    TOPIC,
    () => Promise.resolve([tail]),
    () => {
      throw new Error('There is no Kafka here');
    },
  );
  const rebuild = new Rebuild(pool, ingest, withoutKafka);
  const avstemming = new Avstemming(pool, withoutKafka, { maxLines: 10_000, deadlineSeconds: 300, waitMs: 1_000 });
  const publisher = new Publisher(createKafka({ brokers, clientId: 'spec', retries: 2 }), topic);
  const syncs = new Syncs(pool, publisher, { stalledSeconds: 180, expiresSeconds: 900 });
  const what = { organisasjon: 'nav', topic: TOPIC };
  const http = await startHttp({
    module: IngestorModule.with({
      pool,
      ingest,
      served: what,
      rebuild,
      adapterPool: pool,
      syncs,
      avstemming,
      repair: new AvstemmingRepair(pool, ingest, publisher, withoutKafka),
    }),
    configure: (app) => void acceptLists(allowLargePages(app)),
    config,
    openRoutes: [],
    readiness: {},
  });
  const url = await http.app.getUrl();
  return {
    ...setup,
    publisering: publisher,
    synker: syncs,
    url,
    sluttOffset: (end) => {
      tail.end = end;
    },
    token: () => issuer.token({ azp: 'vaktklient', claims: GUARD }),
    call: async (method, path, body, claims = GUARD) => {
      const response = await fetch(url + path, {
        method: method,
        headers: {
          ...(claims ? { authorization: `Bearer ${await issuer.token({ azp: 'vaktklient', claims })}` } : {}),
          ...(body === undefined
            ? {}
            : { 'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json' }),
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    },
    empty: async () => {
      await setup.empty();
      await setup.eier.query('truncate driftshandling, avstemming, avstemming_differanse restart identity');
    },
    stop: async () => {
      await http.stop();
      await publisher.stop();
      await issuer.stop();
      await setup.stop();
    },
  };
}
