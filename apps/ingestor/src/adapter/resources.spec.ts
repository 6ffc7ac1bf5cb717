import { randomUUID } from 'node:crypto';
import { createTestTopic, syntheticOrgnr, waitUntil, type TestTopic } from '@tiltak/testing';
import { CONTRACT, startTestAdapter, type TestAdapter } from '../testing/test-adapter.ts';
import { RESOURCES } from './pushed/resources.ts';

/** What holds of a sync holds of each resource that can be pushed. */
let api: TestAdapter;
let topic: TestTopic;
let n = 0;

beforeAll(async () => {
  topic = await createTestTopic({ partitions: 2 });
  api = await startTestAdapter({ VIRKSOMHET_TOPIC: topic.topic });
  await api.send('PUT', 'kontrakt', { ...CONTRACT, ressurser: RESOURCES });
}, 60_000);
afterAll(async () => {
  await api.stop();
  await topic.remove();
});

beforeEach(async () => {
  for (const resource of RESOURCES) {
    await waitUntil(() => api.completion.isIngested(resource), { what: 'everything to be stored' });
  }
  await api.owner.query(
    `truncate avtale, avtale_versjon, endring, relasjon, parkert_melding, virksomhet, virksomhet_versjon,
       virksomhet_endring, synk, synk_side, synk_avtale, synk_noekkel`,
  );
});

interface Kind {
  resource: string;
  newId: () => string;
  /** SQL of what consumers see */
  table: string;
  key: string;
  wrong: { field: string; value: unknown };
}

const KINDS = {
  avtaler: {
    resource: 'avtaler',
    newId: randomUUID,
    table: 'avtale',
    key: 'avtale_id',
    wrong: { field: 'startDato', value: 'i dag' },
  },
  virksomheter: {
    resource: 'virksomheter',
    newId: () => syntheticOrgnr(n++),
    table: 'virksomhet',
    key: 'organisasjonsnummer',
    wrong: { field: 'slettetDato', value: 'i dag' },
  },
} satisfies Record<string, Kind>;

async function visible({ table, key }: Kind): Promise<string[]> {
  const rows = await api.owner.query<{ id: string }[]>(
    `select ${key}::text as id from ${table} where slettet is null order by 1`,
  );
  return rows.map(({ id }) => id);
}

const count = async (syncId: string): Promise<number[]> => {
  let body: Record<string, number> = {};
  await waitUntil(
    async () => {
      await api.completion.countPages();
      ({ body } = (await api.send('GET', `synk/${syncId}`)) as { body: Record<string, number> });
      const parts = ['endret', 'uendret', 'foreldet', 'parkert'].map((name) => body[name] ?? 0);
      return parts.reduce((sum, part) => sum + part, 0) === body['mottatteRessurser'];
    },
    { what: 'the entries to be counted' },
  );
  return ['endret', 'uendret', 'foreldet', 'parkert'].map((name) => body[name] ?? 0);
};

describe.each(Object.entries<Kind>(KINDS))('%s', (_, kind) => {
  const send = (
    method: 'POST' | 'PATCH' | 'DELETE',
    header: Parameters<TestAdapter['sendPage']>[1],
    entries: Parameters<TestAdapter['sendPage']>[2],
  ): ReturnType<TestAdapter['sendPage']> => api.sendPage(method, header, entries, kind.resource);

  test('full, changed and deleted: a full sync deletes what it did not hold, spares what is newer, and each is counted', async () => {
    const ids = Array.from({ length: 10 }, () => kind.newId()).sort();
    const [first, full, delta] = [randomUUID(), randomUUID(), randomUUID()];
    await send(
      'POST',
      { synkId: first },
      ids.map((id) => ({ id })),
    );
    await api.waitFor(first, 'FULLFOERT', kind.resource);
    expect(await count(first)).toEqual([10, 0, 0, 0]);
    const kept = ids.slice(0, 8);
    const header = { synkId: full, antallSider: 2, antallTotalt: 8 };
    await send(
      'POST',
      { ...header, side: 1 },
      kept.slice(0, 4).map((id) => ({ id })),
    );
    const [changed = ''] = ids.slice(9);
    const other = kind.newId();
    await send('PATCH', { synkId: delta }, [
      { id: changed, sistEndret: '2026-02-01T00:00:00Z' },
      { id: other, sistEndret: '2026-02-01T00:00:00Z' },
    ]);
    await send(
      'POST',
      { ...header, side: 2 },
      kept.slice(4).map((id) => ({ id })),
    );
    await api.waitFor(full, 'FULLFOERT', kind.resource);
    expect(await visible(kind)).toEqual([...kept, changed, other].sort());
    expect(await count(full)).toEqual([0, 8, 0, 0]);
    const gone = randomUUID();
    await send('DELETE', { synkId: gone }, [{ id: other }, { id: kind.newId() }]);
    expect(await count(gone)).toEqual([1, 1, 0, 0]);
    expect(await visible(kind)).toEqual([...kept, changed].sort());
    expect((await api.send('GET', `synk/${gone}`)).body.ressurs).toBe(kind.resource);
    // Said as it was before: it is deleted, and stays so until something newer is said of it.
    const again = randomUUID();
    await send('PATCH', { synkId: again }, [{ id: other, sistEndret: '2026-02-01T00:00:00Z' }]);
    expect(await count(again)).toEqual([0, 0, 1, 0]);
    expect(await visible(kind)).toEqual([...kept, changed].sort());
  });

  test('one that would delete more than a fifth waits to be confirmed', async () => {
    const ids = Array.from({ length: 10 }, () => kind.newId());
    const [first, full] = [randomUUID(), randomUUID()];
    await send(
      'POST',
      { synkId: first },
      ids.map((id) => ({ id })),
    );
    await api.waitFor(first, 'FULLFOERT', kind.resource);
    await send(
      'POST',
      { synkId: full },
      ids.slice(0, 7).map((id) => ({ id })),
    );
    await api.waitFor(full, 'VENTER_PAA_BEKREFTELSE', kind.resource);
    expect(await visible(kind)).toHaveLength(10);
    await api.send('POST', `synk/${full}/bekreft`);
    await api.waitFor(full, 'FULLFOERT', kind.resource);
    expect(await visible(kind)).toHaveLength(7);
  });

  test('one that says a thing in two pages, and so may lack another, is refused by index, and deletes nothing', async () => {
    const [a, b, c] = [kind.newId(), kind.newId(), kind.newId()];
    await send('POST', { synkId: 'alt' }, [{ id: a }, { id: b }, { id: c }]);
    await api.waitFor('alt', 'FULLFOERT', kind.resource);
    // As of a source that is read by number of rows, and has got one in front meanwhile.
    const header = { synkId: 'skjev', antallSider: 2, antallTotalt: 3 };
    expect((await send('POST', { ...header, side: 1 }, [{ id: a }, { id: b }])).status).toBe(201);
    const again = await send('POST', { ...header, side: 2 }, [{ id: b }]);
    expect([again.status, again.body.feil]).toEqual([
      409,
      [{ felt: 'ressurser[0].id', melding: 'is in another page of this sync too' }],
    ]);
    const { tilstand, mottatteSider } = (await api.send('GET', 'synk/skjev')).body;
    expect([tilstand, mottatteSider]).toEqual(['MOTTAR', 1]);
    expect((await send('POST', { ...header, side: 2 }, [{ id: c }])).status).toBe(201);
    await api.waitFor('skjev', 'FULLFOERT', kind.resource);
    expect(await visible(kind)).toEqual([a, b, c].sort());
  });

  test('of two pages that say the same at once, in opposite order, one is taken and the other refused', async () => {
    const ids = Array.from({ length: 2_000 }, kind.newId).map((id) => ({ id }));
    const header = { synkId: 'motsatt', antallSider: 3, antallTotalt: 4_001 };
    const answers = await Promise.all([
      send('POST', { ...header, side: 1 }, ids),
      send('POST', { ...header, side: 2 }, ids.toReversed()),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({ flereFeil: 1_900 });
  });

  test('what the topic lost is made up for by a full sync that begins after it was found, once all of it is stored', async () => {
    const { config, kafka } = api.ingestor;
    const own = kind.resource === 'avtaler' ? config.KAFKA_TOPIC : topic.topic;
    const isOpen = async (): Promise<boolean> => {
      await kafka.watch.round();
      const rows = await api.owner.query<unknown[]>(
        'select from konsum_hull where topic = $1 and lukket is null and lukket_av is null',
        [own],
      );
      return rows.length > 0;
    };
    const full = async (syncId: string): Promise<void> => {
      await send('POST', { synkId: syncId }, [{ id }]);
      await api.waitFor(syncId, 'FULLFOERT', kind.resource);
      await count(syncId);
    };
    const id = kind.newId();
    const [before, refused, after] = [randomUUID(), randomUUID(), randomUUID()];
    await full(before);
    await api.owner.query(
      'insert into konsum_hull (topic, epoke, partisjon, fra_offset, til_offset) values ($1, 0, 0, 0, 1)',
      [own],
    );
    await send('PATCH', { synkId: randomUUID() }, [{ id }]);
    expect(await isOpen()).toBe(true);
    await full(refused);
    await api.owner.query('update synk_side set parkert = 1 where synk_id = $1', [refused]);
    expect(await isOpen()).toBe(true);
    await full(after);
    expect(await isOpen()).toBe(false);
    const [gap] = await api.owner.query<{ lukket_av: string }[]>('select lukket_av from konsum_hull where topic = $1', [
      own,
    ]);
    expect(gap?.lukket_av).toBe(`full synk ${after}`);
  });

  test('an entry that is wrong is named by index and field, and nothing of its page is taken', async () => {
    const [a, b] = [kind.newId(), kind.newId()];
    const { field, value } = kind.wrong;
    const response = await send('PATCH', { synkId: randomUUID() }, [
      { id: a },
      { id: b, [field]: value, sistEndret: null },
      { id: 'x' },
      { id: a },
      { id: kind.newId(), ukjentFelt: 1, sistEndret: new Date(Date.now() + 25 * 3_600_000).toISOString() },
    ]);
    expect(response.status).toBe(400);
    expect(response.body.feil.map(({ felt }: { felt: string }) => felt).sort()).toEqual([
      'ressurser[1].ressurs.sistEndret',
      `ressurser[1].ressurs.${field}`,
      'ressurser[2].id',
      'ressurser[3].id',
      'ressurser[4].ressurs.sistEndret',
    ]);
    expect(await visible(kind)).toEqual([]);
  });

  test('what the contract does not know is told of, with the field that is meant', async () => {
    const [key] = kind.resource === 'avtaler' ? ['bedrift_nr'] : ['overordnet_enhet'];
    const { body } = await send('PATCH', { synkId: randomUUID() }, [{ id: kind.newId(), [key ?? '']: '1' }]);
    expect(body.merknader).toEqual([
      expect.objectContaining({
        slag: 'UKJENT_FELT',
        mente: kind.resource === 'avtaler' ? 'bedriftNr' : 'overordnetEnhet',
      }),
    ]);
  });
});

test('full syncs of two resources at once replace neither, and a synkId is of one resource', async () => {
  const { avtaler, virksomheter } = KINDS;
  const [ofAvtaler, ofVirksomheter] = [randomUUID(), randomUUID()];
  const [a, b] = [
    [avtaler.newId(), avtaler.newId()],
    [virksomheter.newId(), virksomheter.newId()],
  ];
  const page = (
    kind: Kind,
    syncId: string,
    id: string | undefined,
    number: number,
  ): ReturnType<TestAdapter['sendPage']> =>
    api.sendPage(
      'POST',
      { synkId: syncId, side: number, antallSider: 2, antallTotalt: 2 },
      [{ id: id ?? '' }],
      kind.resource,
    );
  await page(avtaler, ofAvtaler, a[0], 1);
  await page(virksomheter, ofVirksomheter, b[0], 1);
  expect(await page(virksomheter, ofAvtaler, b[1], 2)).toMatchObject({ status: 409 });
  await page(avtaler, ofAvtaler, a[1], 2);
  await page(virksomheter, ofVirksomheter, b[1], 2);
  await api.waitFor(ofAvtaler, 'FULLFOERT');
  await api.waitFor(ofVirksomheter, 'FULLFOERT', 'virksomheter');
  expect(await visible(avtaler)).toEqual(a.sort());
  expect(await visible(virksomheter)).toEqual(b.sort());
  const { body } = await api.send('GET', 'status');
  expect(body.fullSynker).toEqual(
    RESOURCES.map((resource) => ({ ressurs: resource, sisteFullSynk: expect.any(String), forfalt: false })),
  );
});

test('a version that knows avtaler alone passes by the syncs of another resource', async () => {
  const syncId = randomUUID();
  const entries = [{ id: KINDS.virksomheter.newId() }];
  await api.sendPage('POST', { synkId: syncId, antallSider: 2, antallTotalt: 2 }, entries, 'virksomheter');
  // As it looks for what it may complete, and replace.
  const rows = await api.owner.query<unknown[]>(
    `select from synk where synk_id = $1 and tilstand in ('MOTTAR', 'SLETTER', 'VENTER_PAA_BEKREFTELSE')`,
    [syncId],
  );
  expect(rows).toHaveLength(0);
});

test('what the contract does not name is not taken', async () => {
  await api.send('PUT', 'kontrakt', CONTRACT);
  const response = await api.sendPage(
    'PATCH',
    { synkId: randomUUID() },
    [{ id: KINDS.virksomheter.newId() }],
    'virksomheter',
  );
  expect(response).toMatchObject({ status: 409 });
});
