import { lesKonfigurasjon, logg, startHttp } from '@tiltak/platform';
import { ledigPort, startUtsteder } from '@tiltak/testing';
import { SKJEMA } from '../config.ts';
import { Publisering } from '../adapter/publisering.ts';
import { tillatStoreSider } from '../adapter/storrelse.ts';
import { Synker } from '../adapter/synk.ts';
import { Avstemming } from '../avstemming/avstemming.ts';
import { taImotLister } from '../avstemming/liste.ts';
import { Retting } from '../avstemming/retting.ts';
import { Gjenoppbygging } from '../drift/gjenoppbygging.ts';
import { IngestorModule } from '../ingestor.module.ts';
import { lagKafka } from '../kafka/klient.ts';
import { Topic } from '../kafka/topic.ts';
import { startTestInnlesning, TOPIC, type TestInnlesning } from './test-innlesning.ts';

export interface Svar {
  status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a client that knows nothing gets
  body: any;
}

export interface TestDrift extends TestInnlesning {
  publisering: Publisering;
  synker: Synker;
  /** Where the topic ends, as a reconciliation sees it. */
  sluttOffset: (slutt: number) => void;
  url: string;
  /** Of somebody on duty. */
  token: () => Promise<string>;
  /** As somebody on duty, with JSON or, as text, NDJSON; unless other claims are given; `null`: without a token. */
  kall: (metode: string, sti: string, body?: unknown, claims?: Record<string, unknown> | null) => Promise<Svar>;
}

const VAKT = { roles: ['drift'], preferred_username: 'vakt@nav.example' };

/** Everything over HTTP, on a database of its own; without Kafka, unless told where. */
export async function startTestDrift({ brokers = ['127.0.0.1:1'], topic = TOPIC } = {}): Promise<TestDrift> {
  const oppsett = await startTestInnlesning();
  const utsteder = await startUtsteder({ port: await ledigPort(), audience: 'tiltak-datadeling' });
  const konfig = lesKonfigurasjon(SKJEMA, {
    ORGANISASJON: 'nav',
    HOST: '127.0.0.1',
    PORT: String(await ledigPort()),
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
    AZURE_OPENID_CONFIG_ISSUER: utsteder.issuer,
    AZURE_OPENID_CONFIG_JWKS_URI: utsteder.jwksUri,
  });
  logg.level = 'fatal';
  const { pool, innlesning } = oppsett;
  const ende = { partisjon: 0, start: 0, slutt: 0 };
  const utenKafka = new Topic(
    TOPIC,
    () => Promise.resolve([ende]),
    () => {
      throw new Error('There is no Kafka here');
    },
  );
  const gjenoppbygging = new Gjenoppbygging(pool, innlesning, utenKafka);
  const avstemming = new Avstemming(pool, utenKafka, { maksLinjer: 10_000, fristSekunder: 300, ventMs: 1_000 });
  const publisering = new Publisering(lagKafka({ brokers, clientId: 'spec', forsoek: 2 }), topic);
  const synker = new Synker(pool, publisering, { stansetSekunder: 180, utloeperSekunder: 900 });
  const hva = { organisasjon: 'nav', topic: TOPIC };
  const http = await startHttp({
    modul: IngestorModule.med({
      pool,
      innlesning,
      hva,
      gjenoppbygging,
      adapterpool: pool,
      synker,
      avstemming,
      retting: new Retting(pool, innlesning, publisering, utenKafka),
    }),
    konfigurer: (app) => void taImotLister(tillatStoreSider(app)),
    konfig,
    apneRuter: [],
    klarhet: {},
  });
  const url = await http.app.getUrl();
  return {
    ...oppsett,
    publisering,
    synker,
    url,
    sluttOffset: (slutt) => {
      ende.slutt = slutt;
    },
    token: () => utsteder.token({ azp: 'vaktklient', claims: VAKT }),
    kall: async (metode, sti, body, claims = VAKT) => {
      const svar = await fetch(url + sti, {
        method: metode,
        headers: {
          ...(claims ? { authorization: `Bearer ${await utsteder.token({ azp: 'vaktklient', claims })}` } : {}),
          ...(body === undefined
            ? {}
            : { 'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json' }),
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const tekst = await svar.text();
      return { status: svar.status, body: tekst === '' ? undefined : JSON.parse(tekst) };
    },
    toem: async () => {
      await oppsett.toem();
      await oppsett.eier.query('truncate driftshandling, avstemming, avstemming_differanse restart identity');
    },
    stopp: async () => {
      await http.stopp();
      await publisering.stopp();
      await utsteder.stopp();
      await oppsett.stopp();
    },
  };
}
