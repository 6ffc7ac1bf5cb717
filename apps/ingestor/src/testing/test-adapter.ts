import { randomUUID } from 'node:crypto';
import { createTestTopic, testEnvironment, waitUntil, type TestTopic } from '@tiltak/testing';
import { SyncCompletion } from '../adapter/sync-completion.job.ts';
import { BatchConsumer } from '../kafka/batch-consumer.ts';
import { createKafka } from '../kafka/client.ts';
import { preparePositions } from '../kafka/positions.queries.ts';
import { startTestIngestor, type TestResponse, type TestIngestor } from './test-ingestor.ts';

export interface TestAdapter extends TestIngestor {
  topic: TestTopic;
  deletion: SyncCompletion;
  /** As the adapter of the contract. */
  send: (method: string, path: string, body?: unknown) => Promise<TestResponse>;
  /** As `send`, of a page; `avtaler`: ids, or id and fields. */
  side: (method: 'POST' | 'PATCH' | 'DELETE', header: PageHeader, avtaler: AvtaleEntry[]) => Promise<TestResponse>;
  /** Reads the topic into the database from now on. */
  les: () => void;
  /** Until a sync is in that state, and all that is on the topic is stored. */
  waitFor: (syncId: string, state: string) => Promise<void>;
  /** The ids of the avtaler that consumers would see, with the number of each. */
  visible: () => Promise<Record<string, number | null>>;
}

interface PageHeader {
  synkId: string;
  side?: number;
  antallSider?: number;
  antallTotalt?: number;
}

type AvtaleEntry = { id: string } & Record<string, unknown>;

export const ADAPTER = { scope: 'tiltak:adapter', organisasjon: 'nav' };
export const CONTRACT = {
  adapterId: 'spec-adapter',
  heartbeatIntervallMinutter: 15,
  fullSynkIntervallDager: 7,
  deltaSynk: 'STRAKS',
  ressurser: ['avtaler'],
};

/** The adapter API over HTTP, with a topic and a database of its own. */
export async function startTestAdapter({ partitions = 2 } = {}): Promise<TestAdapter> {
  const topic = await createTestTopic({ partitions });
  const brokers = testEnvironment().kafka.split(',');
  const drift = await startTestIngestor({ brokers, topic: topic.topic });
  const { pool, publisering: publisher, synker: syncs, innlesning: ingest, eier: owner } = drift;
  const deletion = new SyncCompletion(pool, publisher, syncs, 20);
  const kafka = createKafka({ brokers, clientId: 'spec' });
  const reader = new BatchConsumer(
    kafka,
    { topic: topic.topic, pattern: 'm', groupId: randomUUID(), concurrentPartitions: 2 },
    (partitions) => preparePositions(owner, topic.admin, topic.topic, partitions),
  );
  reader.addHandler('m', async (batch) => (await ingest.ingestBatch(batch)).nextOffset);
  let read = false;
  const send: TestAdapter['send'] = (method, path, body) => drift.call(method, `/adapter/v1/${path}`, body, ADAPTER);
  return {
    ...drift,
    topic,
    deletion,
    send,
    side: (
      method,
      { side: sendPage = 1, antallSider: pageCount = 1, antallTotalt: totalCount, synkId: syncId },
      avtaler,
    ) =>
      send(method, 'avtaler/synk', {
        metadata: {
          synkId: syncId,
          side: sendPage,
          antallSider: pageCount,
          antallTotalt: totalCount ?? avtaler.length,
        },
        ressurser: avtaler.map(({ id, ...fields }) =>
          method === 'DELETE' ? { id } : { id, ressurs: resource(id, fields) },
        ),
      }),
    les: () => {
      read = true;
      reader.listen(() => undefined);
    },
    waitFor: async (syncId, state) => {
      await waitUntil(
        async () => {
          await deletion.round();
          return (await send('GET', `synk/${syncId}`)).body.tilstand === state;
        },
        { what: `the sync to be ${state}` },
      );
      await waitUntil(() => deletion.isIngested(), { what: 'everything to be stored' });
    },
    visible: async () => {
      const { rows } = await pool.query<{ id: string; nr: number | null }>(
        'select avtale_id as id, avtale_nr as nr from avtale where slettet is null order by 1',
      );
      return Object.fromEntries(rows.map(({ id, nr }) => [id, nr]));
    },
    stop: async () => {
      if (read) await reader.close();
      await drift.stop();
      await topic.remove();
    },
  };
}

function resource(avtaleId: string, fields: Record<string, unknown>): Record<string, unknown> {
  return { avtaleId, sistEndret: '2026-01-01T00:00:00Z', ...fields };
}
