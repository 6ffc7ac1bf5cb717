import { createWorkDir } from '@tiltak/testing';
import { createEvents } from '@tiltak/simulator';
import { startKafkaIn, startPostgresIn } from '../bench/servers.ts';
import { System } from '../e2e/system.ts';
import { writeAnswers, type Answer, type AnswerName, type Answers } from './answers.ts';

type Avtale = Record<string, unknown> & { avtaleId: string; sistEndret: string };
type Ask = (
  method: string,
  path: string,
  options?: { headers?: Record<string, string>; body?: unknown },
) => Promise<Answer>;

/** Of an answer; the others are of the moment, or of the connection. */
const KEPT_HEADERS = ['content-type', 'etag', 'cache-control', 'vary', 'nav-call-id', 'data-oppdatert', 'retry-after'];
const SEARCH = '/api/v1/avtaler/sok';

/** Asks a query-api that holds a few made-up avtaler, and keeps what it answers. The apps must be built. */
export async function recordAnswers(): Promise<void> {
  const { directory, clean } = createWorkDir('opptak');
  try {
    const [kafka, postgres] = await Promise.all([startKafkaIn(directory), startPostgresIn(directory)]);
    const system = await System.create({ brokers: kafka.brokers, postgres: postgres.url });
    try {
      await system.publish([...createEvents({ count: 60, seed: 13 })]);
      await system.startIngestor();
      const { url } = await system.startQueryApi();
      await system.waitForIngested();
      writeAnswers(await askAll(createAsk(url, await system.as('alt'))));
    } finally {
      await system.stop();
      await Promise.all([kafka.stop(), postgres.stop()]);
    }
  } finally {
    clean();
  }
}

async function askAll(ask: Ask): Promise<Answers> {
  const all = await ask('POST', SEARCH, { body: { antall: 1_000 } });
  const { avtaler } = JSON.parse(all.body) as { avtaler: Avtale[] };
  const precise = avtaler.find(({ sistEndret, tiltakstype }) => tiltakstype && /\.\d{5}[1-9]/.test(sistEndret));
  const empty = avtaler.reduce((a, b) => (nulls(b) > nulls(a) ? b : a));
  if (!precise) throw new Error('No avtale was changed at a moment with microseconds');
  const one = (id: string): string => `/api/v1/avtaler/${id}`;
  const avtale = await ask('GET', one(precise.avtaleId));
  const answers: Record<AnswerName, Answer> = {
    avtale,
    uendret: await ask('GET', one(precise.avtaleId), { headers: { 'if-none-match': avtale.headers['etag'] ?? '' } }),
    side: await ask('POST', SEARCH, { body: { antall: 3 } }),
    'fleste-null': await ask('GET', one(empty.avtaleId)),
    antall: await ask('POST', SEARCH, { body: { antall: 20 } }),
    'null-lister': await ask('POST', SEARCH, { body: { antall: 20, personidenter: null, tiltakstyper: null } }),
    'tom-liste': await ask('POST', SEARCH, { body: { antall: 20, personidenter: [], tiltakstyper: [] } }),
    utgaatt: await ask('GET', '/api/v1/endringer?etter=N2Y5YzJlMTAuMmMuMWYuOWIwM2M3ZGE'),
    eksport: await ask('GET', '/api/v1/eksport'),
  };
  return answers;
}

const nulls = (avtale: Avtale): number => Object.values(avtale).filter((value) => value === null).length;

function createAsk(url: string, { authorization = '' }: Record<string, string>): Ask {
  return async (method, path, { headers = {}, body } = {}) => {
    const requestHeaders = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers };
    const requestBody = body === undefined ? null : JSON.stringify(body);
    const response = await fetch(url + path, {
      method,
      headers: { authorization, 'accept-encoding': 'identity', ...requestHeaders },
      body: requestBody,
    });
    const kept = [...response.headers].filter(([name]) => KEPT_HEADERS.includes(name));
    return {
      method,
      path,
      requestHeaders,
      requestBody,
      status: response.status,
      headers: Object.fromEntries(kept),
      body: await response.text(),
    };
  };
}
