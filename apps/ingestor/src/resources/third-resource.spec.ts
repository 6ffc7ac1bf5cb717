import { randomUUID } from 'node:crypto';
import type { Resource } from '@tiltak/resource';
import { createTestTopic, waitUntil, type TestTopic } from '@tiltak/testing';
import { FreshnessMeter } from '../freshness/freshness.job.ts';
import type { TestAdapter } from '../testing/test-adapter.ts';
import { RESOURCES } from './resources.ts';
import type { ResourceDefinition } from './resource.ts';

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
const kontorer: ResourceDefinition = {
  resource: KONTORER,
  topicVariable: 'VIRKSOMHET_TOPIC',
  push: {
    operations: { full: 'sendFullSynkKontorer', delta: 'sendDeltaSynkKontorer', deletion: 'sendSlettingKontorer' },
    schemas: {
      ...{ resource: 'Kontorressurs', entry: 'Kontorinnslag', deletedEntry: 'Kontorsletting' },
      ...{ page: 'Kontorside', deletionPage: 'Kontorsletteside' },
    },
    words: {
      ...{ several: 'kontorer', deleted: 'ids of kontorer', entry: 'The office as it is now' },
      ...{ order: 'When it was changed', full: 'all there are' },
    },
    examples: { antall: 7 },
  },
};

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
    lopenr bigint generated always as identity, laert timestamptz(6) not null default now(), primary key (kontor_id, lopenr));
  create table kontor_endring (tx xid8 default pg_current_xact_id(), lopenr bigint generated always as identity,
    kontor_id uuid, type text, aarsak text, tidspunkt timestamptz not null default clock_timestamp(),
    primary key (tx, lopenr));
  grant select, insert, update, delete on kontor, kontor_versjon, kontor_endring to datadeling_skriver;`;

// In the place of virksomheter, whose topic it is given. Only now: what follows from the register is made when it is imported.
RESOURCES.splice(0, RESOURCES.length, kontorer);
const { CONTRACT, startTestAdapter } = await import('../testing/test-adapter.ts');

let topic: TestTopic;
let api: TestAdapter;

beforeAll(async () => {
  topic = await createTestTopic({ partitions: 2 });
  api = await startTestAdapter({ VIRKSOMHET_TOPIC: topic.topic, ADAPTER_MAKS_SLETTES_PROSENT: '100' });
  await api.owner.query(MIGRATION);
});
afterAll(async () => {
  await api.stop();
  await topic.remove();
});

const rows = (sql: string): Promise<unknown[]> => api.owner.query(sql);
const until = (sql: string, what: string, count = 1): Promise<unknown> =>
  waitUntil(async () => (await rows(sql)).length === count, { what });
const { signal } = new AbortController();
const [id, other] = [randomUUID(), randomUUID()];
const say = (of: string, staff: number, n: number): { key: string; value: string } => ({
  key: of,
  value: JSON.stringify({
    kontorId: of,
    antall: staff,
    endret: `2026-01-01T00:00:0${String(n)}Z`,
    navn: 'is not kept',
  }),
});

test('a third resource goes from its topic to row, history and feed by its definition alone', async () => {
  await topic.publish([say(id, 1, 1), say(id, 2, 3), say(id, 9, 2), say(id, 5_000, 4)]);
  await until('select from parkert_melding where felt = $$antall$$', 'all four');
  expect(await rows('select kontor_id as id, antall_ansatte as n, apent from kontor')).toEqual([
    { id, n: 2, apent: false },
  ]);
  expect(await rows('select antall_ansatte as n from kontor_versjon order by lopenr')).toEqual([{ n: 1 }, { n: 2 }]);
  expect(await rows('select type from kontor_endring order by tx, lopenr')).toEqual([
    { type: 'ENDRET' },
    { type: 'ENDRET' },
  ]);
  await topic.publish([{ key: id, value: null }]);
  await until('select from kontor where slettet = $$GRAVSTEIN$$', 'it to be gone');
  expect(await rows('select from kontor_versjon')).toEqual([]);
  expect(await rows('select type, aarsak from kontor_endring order by tx, lopenr offset 2')).toEqual([
    { type: 'SLETTET', aarsak: 'SLETTET' },
  ]);
});

test('what of it is parked is replayed with all others, and how old it is is told', async () => {
  await topic.publish([{ key: other, value: '{' }]);
  await until('select from parkert_melding where tilstand = $$PARKERT$$', 'it to be parked');
  await api.owner.query(`update parkert_melding set verdi = convert_to($1, 'UTF8') where tilstand = 'PARKERT'`, [
    say(other, 3, 1).value,
  ]);
  expect((await api.call('POST', '/drift/v1/parkerte/samlet', { handling: 'SPILL_AV', alle: true })).status).toBe(202);
  await api.ingestor.parkedBulk.work(signal);
  expect(await rows(`select antall_ansatte as n from kontor where slettet is null`)).toEqual([{ n: 3 }]);

  for (const job of api.ingestor.jobs) if (job instanceof FreshnessMeter) await job.measure();
  expect(await rows('select distinct ressurs, oppdatert_til is not null as known from ressurs_status')).toEqual([
    { ressurs: 'kontorer', known: true },
  ]);
});

test('it is built anew from its topic, which tells what was wrong and what goes', async () => {
  const made = randomUUID();
  await topic.publish([say(other, 4, 2)]);
  await until('select from kontor where antall_ansatte = 4', 'it to be stored');
  await api.owner.query(
    `update kontor set antall_ansatte = 99 where slettet is null;
     insert into kontor (kontor_id, endret_tid, kilde_epoke, kilde_partisjon, kilde_offset)
     values ('${made}', now(), 0, 0, 0)`,
  );
  const path = '/drift/v1/gjenoppbygging';
  const rebuild = api.ingestor.rebuilds.of('kontorer');
  const last = async (): Promise<Record<string, unknown>> => (await api.call('GET', `${path}?ressurs=kontorer`)).body;
  expect((await api.call('POST', `${path}?ressurs=kontorer`)).status).toBe(204);
  rebuild.start();
  try {
    await waitUntil(async () => (await last())['tilstand'] === 'FERDIG', { what: 'the rebuild', maxMs: 60_000 });
  } finally {
    await rebuild.stop();
  }
  expect(await last()).toMatchObject({ ressurser: ['avtaler', 'kontorer'], rettet: 1, usette: 1, fjernet: 1 });
  expect((await api.call('POST', `${path}/noekler`, { ressurs: 'kontorer' })).body).toEqual({ noekler: [made] });
  expect(await rows(`select antall_ansatte as n from kontor where slettet is null`)).toEqual([{ n: 4 }]);
});

test('an adapter pushes it: a full sync deletes what it does not hold, and makes up for what the topic lost', async () => {
  await api.owner.query(
    'insert into konsum_hull (topic, epoke, partisjon, fra_offset, til_offset) values ($1, 0, 0, 0, 1)',
    [topic.topic],
  );
  const [kept, syncId] = [randomUUID(), randomUUID()];
  const header = { synkId: syncId, antallSider: 1, antallTotalt: 1 };
  const page = [{ id: kept, antall: 4, endret: '2026-01-01T00:00:00Z' }];
  expect(await api.sendPage('POST', header, page, 'kontorer')).toMatchObject({ status: 409 });
  expect((await api.send('PUT', 'kontrakt', { ...CONTRACT, ressurser: ['kontorer'] })).status).toBe(200);
  expect(await api.sendPage('POST', header, page, 'kontorer')).toMatchObject({ status: 201 });
  await api.waitFor(syncId, 'FULLFOERT', 'kontorer');
  expect(await rows('select kontor_id as id, antall_ansatte as n from kontor where slettet is null')).toEqual([
    { id: kept, n: 4 },
  ]);
  await api.completion.countPages();
  await api.ingestor.kafka.watch.round();
  expect(await rows('select lukket_av from konsum_hull')).toEqual([{ lukket_av: `full synk ${syncId}` }]);
  const { paths, components } = (await api.call('GET', '/openapi.json', undefined, null)).body;
  expect(paths['/adapter/v1/kontorer/synk'].post.operationId).toBe('sendFullSynkKontorer');
  expect(components.schemas.Kontorressurs.properties.antall).toMatchObject({ maximum: 1_000, example: 7 });
});
