import { randomUUID } from 'node:crypto';
import { createTestTopic, testEnvironment, waitUntil, type TestTopic } from '@tiltak/testing';
import { pushedOf } from '../adapter/pushed/resources.ts';
import type { SyncCompletion } from '../adapter/sync-completion.job.ts';
import type { Publisher } from '../kafka/publisher.ts';
import { startTestIngestor, type TestIngestor, type TestResponse } from './test-ingestor.ts';

export interface TestAdapter extends TestIngestor {
  topic: TestTopic;
  publisher: Publisher;
  completion: SyncCompletion;
  /** As the adapter of the contract. */
  send: (method: string, path: string, body?: unknown) => Promise<TestResponse>;
  /** As `send`, of a page; `entries`: ids, or id and fields; of avtaler, unless told otherwise. */
  sendPage: (
    method: 'POST' | 'PATCH' | 'DELETE',
    header: PageHeader,
    entries: PageEntry[],
    resource?: string,
  ) => Promise<TestResponse>;
  /** Until a sync is in that state, and all that is on the topic is stored. */
  waitFor: (syncId: string, state: string, resource?: string) => Promise<void>;
  /** The ids of the avtaler that consumers would see, with the number of each. */
  visible: () => Promise<Record<string, number | null>>;
}

interface PageHeader {
  synkId: string;
  side?: number;
  antallSider?: number;
  antallTotalt?: number;
}

type PageEntry = { id: string } & Record<string, unknown>;

export const ADAPTER = { scope: 'tiltak:adapter', organisasjon: 'nav' };
export const CONTRACT = {
  adapterId: 'spec-adapter',
  heartbeatIntervallMinutter: 15,
  fullSynkIntervallDager: 7,
  deltaSynk: 'STRAKS',
  ressurser: ['avtaler'],
};

/** The adapter API over HTTP, with a topic that is consumed and a database of its own. */
export async function startTestAdapter(environment: Record<string, string> = {}): Promise<TestAdapter> {
  const topic = await createTestTopic({ partitions: 2 });
  const setup = await startTestIngestor({
    KAFKA_BROKERS: testEnvironment().kafka,
    KAFKA_TOPIC: topic.topic,
    KAFKA_GROUP_ID: randomUUID(),
    ...environment,
  });
  const { completion } = setup.ingestor.adapter;
  await waitUntilRead(setup, [topic.topic, environment['VIRKSOMHET_TOPIC'] ?? []].flat());
  const send: TestAdapter['send'] = (method, path, body) => setup.call(method, `/adapter/v1/${path}`, body, ADAPTER);
  return {
    ...setup,
    topic,
    publisher: setup.ingestor.kafka.publisher,
    completion,
    send,
    sendPage: (method, header, entries, resource = 'avtaler') =>
      send(method, `${resource}/synk`, page(method, header, entries, pushedOf(resource).key)),
    waitFor: async (syncId, state, resource = 'avtaler') => {
      await waitUntil(
        async () => {
          await completion.round();
          return (await send('GET', `synk/${syncId}`)).body.tilstand === state;
        },
        { what: `the sync to be ${state}` },
      );
      await waitUntil(() => completion.isIngested(resource), { what: 'everything to be stored' });
    },
    visible: async () => {
      const rows = await setup.owner.query<{ id: string; nr: number | null }[]>(
        'select avtale_id as id, avtale_nr as nr from avtale where slettet is null order by 1',
      );
      return Object.fromEntries(rows.map(({ id, nr }) => [id, nr]));
    },
    stop: async () => {
      await setup.stop();
      await topic.remove();
    },
  };
}

/** Until the streams have begun on a topic, a page is answered with 503. */
async function waitUntilRead({ owner }: TestIngestor, topics: readonly string[]): Promise<void> {
  await waitUntil(
    async () => {
      const read = await owner.query<unknown[]>('select from topic_epoke where topic = any($1)', [topics]);
      return read.length === topics.length;
    },
    { what: 'the streams to begin', maxMs: 45_000 },
  );
}

function page(method: string, header: PageHeader, entries: readonly PageEntry[], key: string): object {
  return {
    metadata: { side: 1, antallSider: 1, antallTotalt: entries.length, ...header },
    ressurser: entries.map(({ id, ...fields }) =>
      method === 'DELETE' ? { id } : { id, ressurs: { [key]: id, sistEndret: '2026-01-01T00:00:00Z', ...fields } },
    ),
  };
}
