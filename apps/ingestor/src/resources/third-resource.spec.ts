import { randomUUID } from 'node:crypto';
import type { Resource } from '@tiltak/resource';
import { createTestTopic, testEnvironment, waitUntil, type TestTopic } from '@tiltak/testing';
import { startIngestor } from '../ingestor.ts';
import type { ResourceIngest } from '../ingest/resource-writer.ts';
import { startTestIngest, type TestIngest } from '../testing/test-ingest.ts';

/** Made up: all that its folder would have. */
const KONTORER: Resource = {
  name: 'kontorer',
  table: 'kontor',
  key: 'kontorId',
  order: 'endretTid',
  fields: {
    kontorId: entry({ source: 'kontorId', read: 'uuid', required: true }),
    antallAnsatte: entry({ source: 'antall', read: 'integer', range: [0, 1_000] }),
    apent: entry({ source: 'apent', read: 'boolean' }),
    endretTid: entry({ source: 'endret', read: 'instant', required: true }),
  },
};
const kontorer: ResourceIngest = { resource: KONTORER, topicVariable: 'VIRKSOMHET_TOPIC' };

function entry(field: Pick<Resource['fields'][string], 'source' | 'read' | 'required' | 'range'>) {
  return { meaning: '', personalData: 'VIRKSOMHET', since: '1.1.0', about: 'kontor', ...field } as const;
}

/** And its migration. */
const PLACE = 'kilde_epoke integer, kilde_partisjon integer, kilde_offset bigint';
const MIGRATION = `
  create table kontor (kontor_id uuid primary key, antall_ansatte integer, apent boolean, endret_tid timestamptz(6),
    slettet text, ${PLACE}, kilde_skrevet bigint, kilde_slett_foer bigint, kilde_minne text, avtrykk uuid,
    mottatt timestamptz not null default now());
  create table kontor_versjon (kontor_id uuid, antall_ansatte integer, apent boolean, endret_tid timestamptz(6), ${PLACE},
    lopenr bigint generated always as identity, primary key (kontor_id, lopenr));
  create table kontor_endring (tx xid8 default pg_current_xact_id(), lopenr bigint generated always as identity,
    kontor_id uuid, type text, aarsak text, primary key (tx, lopenr));
  grant select, insert, update, delete on kontor, kontor_versjon, kontor_endring to datadeling_skriver;`;

let topic: TestTopic;
let avtaler: TestTopic;
let setup: TestIngest;
let stop: () => Promise<void>;

beforeAll(async () => {
  topic = await createTestTopic({ partitions: 2 });
  avtaler = await createTestTopic();
  setup = await startTestIngest(
    {
      KAFKA_BROKERS: testEnvironment().kafka,
      KAFKA_TOPIC: avtaler.topic,
      KAFKA_GROUP_ID: randomUUID(),
      VIRKSOMHET_TOPIC: topic.topic,
    },
    { serveConsole: () => undefined, resources: [kontorer] },
  );
  await setup.owner.query(MIGRATION);
  stop = await startIngestor({ ...setup.ingestor, jobs: [] });
});
afterAll(async () => {
  await stop();
  await setup.stop();
  await topic.remove();
  await avtaler.remove();
});

test('a third resource goes from its topic to row, history and feed by its definition alone', async () => {
  const id = randomUUID();
  const say = (antall: number, n: number): { key: string; value: string } => ({
    key: id,
    value: JSON.stringify({ kontorId: id, antall, endret: `2026-01-01T00:00:0${String(n)}Z`, navn: 'is not kept' }),
  });
  await topic.publish([say(1, 1), say(2, 3), say(9, 2), say(5_000, 4)]);
  const rows = (sql: string): Promise<unknown[]> => setup.owner.query(sql);
  await waitUntil(async () => (await rows('select from parkert_melding where felt = $$antall$$')).length > 0, {
    what: 'all four',
  });
  expect(await rows('select kontor_id as id, antall_ansatte as n, apent from kontor')).toEqual([
    { id, n: 2, apent: false },
  ]);
  expect(await rows('select antall_ansatte as n from kontor_versjon order by lopenr')).toEqual([{ n: 1 }, { n: 2 }]);
  expect(await rows('select type from kontor_endring order by tx, lopenr')).toEqual([
    { type: 'ENDRET' },
    { type: 'ENDRET' },
  ]);
  await topic.publish([{ key: id, value: null }]);
  await waitUntil(async () => (await rows('select from kontor where slettet = $$GRAVSTEIN$$')).length === 1, {
    what: 'it to be gone',
  });
  expect(await rows('select from kontor_versjon')).toEqual([]);
  expect(await rows('select type, aarsak from kontor_endring order by tx, lopenr offset 2')).toEqual([
    { type: 'SLETTET', aarsak: 'SLETTET' },
  ]);
});
