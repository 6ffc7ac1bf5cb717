import { lesKonfigurasjon, logg, startHttp } from '@tiltak/platform';
import { ledigPort, startUtsteder } from '@tiltak/testing';
import { SKJEMA } from '../config.ts';
import { Publisering } from '../adapter/publisering.ts';
import { tillatStoreSider } from '../adapter/storrelse.ts';
import { Synker } from '../adapter/synk.ts';
import { Gjenoppbygging } from '../drift/gjenoppbygging.ts';
import { IngestorModule } from '../ingestor.module.ts';
import { lagKafka } from '../kafka/klient.ts';
import { startTestInnlesning, TOPIC, type TestInnlesning } from './test-innlesning.ts';

export interface Svar {
  status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a client that knows nothing gets
  body: any;
}

export interface TestDrift extends TestInnlesning {
  publisering: Publisering;
  synker: Synker;
  /** As somebody on duty, unless other claims are given; `null`: without a token. */
  kall: (metode: string, sti: string, body?: unknown, claims?: Record<string, unknown> | null) => Promise<Svar>;
}

const UTEN_KAFKA = {
  topic: TOPIC,
  utstrekning: () => Promise.resolve([{ partisjon: 0, start: 0, slutt: 0 }]),
  lagLeser: () => {
    throw new Error('There is no Kafka here');
  },
};

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
  const gjenoppbygging = new Gjenoppbygging(pool, innlesning, UTEN_KAFKA);
  const publisering = new Publisering(lagKafka({ brokers, clientId: 'spec', forsoek: 2 }), topic);
  const synker = new Synker(pool, publisering, { stansetSekunder: 180, utloeperSekunder: 900 });
  const hva = { organisasjon: 'nav', topic: TOPIC };
  const http = await startHttp({
    modul: IngestorModule.med({ pool, innlesning, hva, gjenoppbygging, adapterpool: pool, synker }),
    konfigurer: (app) => void tillatStoreSider(app),
    konfig,
    apneRuter: [],
    klarhet: {},
  });
  const url = await http.app.getUrl();
  return {
    ...oppsett,
    publisering,
    synker,
    kall: async (metode, sti, body, claims = { roles: ['drift'], preferred_username: 'vakt@nav.example' }) => {
      const svar = await fetch(url + sti, {
        method: metode,
        headers: {
          ...(claims ? { authorization: `Bearer ${await utsteder.token({ azp: 'vaktklient', claims })}` } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const tekst = await svar.text();
      return { status: svar.status, body: tekst === '' ? undefined : JSON.parse(tekst) };
    },
    toem: async () => {
      await oppsett.toem();
      await oppsett.eier.query('truncate driftshandling restart identity');
    },
    stopp: async () => {
      await http.stopp();
      await publisering.stopp();
      await utsteder.stopp();
      await oppsett.stopp();
    },
  };
}
