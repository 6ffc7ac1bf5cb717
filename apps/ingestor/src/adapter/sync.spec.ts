import { randomUUID } from 'node:crypto';
import { createPool } from '@tiltak/database';
import fc from 'fast-check';
import { ADAPTER, startTestAdapter, CONTRACT, type TestAdapter } from '../testing/test-adapter.ts';
import { syntheticFnr, testEnvironment, waitUntil } from '@tiltak/testing';
import { databaseOptionsFrom } from '../database/connect.ts';
import { createKafka } from '../kafka/client.ts';
import type { PoolClient } from 'pg';
import { SyncCompletion } from './sync-completion.job.ts';
import { countPage, deleteOldSyncs } from './sync.queries.ts';

let api: TestAdapter;

beforeAll(async () => {
  api = await startTestAdapter();
  await api.send('PUT', 'kontrakt', CONTRACT);
});
afterAll(() => api.stop());
beforeEach(async () => {
  await waitUntil(() => api.completion.isIngested('avtaler'), { what: 'everything to be stored' });
  await api.owner.query(
    'truncate avtale, avtale_versjon, endring, relasjon, parkert_melding, synk, synk_side, synk_avtale, synk_noekkel',
  );
});

const newId = randomUUID;
const avtaler = (count: number, fields = {}): { id: string }[] =>
  Array.from({ length: count }, (_, nr) => ({ id: newId(), avtaleNr: nr, ...fields }));
const countOnTopic = async (): Promise<number> =>
  (await api.publisher.describe()).partitions.reduce((sum, { end }) => sum + end, 0);

test('a full sync deletes what it did not hold, and nothing else', async () => {
  const [a, b, c, d, e, f] = avtaler(6).map(({ id }) => id) as [string, string, string, string, string, string];
  const first = newId();
  await api.sendPage(
    'POST',
    { synkId: first },
    [a, b, c, d, e, f].map((id) => ({ id, avtaleNr: 1 })),
  );
  await api.waitFor(first, 'FULLFOERT');
  const others = newId();
  const header = { synkId: others, antallSider: 2, antallTotalt: 5 };
  expect(await api.sendPage('POST', { ...header, side: 2 }, [{ id: c }, { id: d }])).toMatchObject({
    status: 201,
    body: { tilstand: 'MOTTAR', mottatteSider: 1, manglendeSider: [1], mottatteRessurser: 2 },
  });
  await api.sendPage('POST', { ...header, side: 1 }, [{ id: a }, { id: b }, { id: e }]);
  await api.waitFor(others, 'FULLFOERT');
  expect(Object.keys(await api.visible()).sort()).toEqual([a, b, c, d, e].sort());
  expect((await api.send('GET', `synk/${others}`)).body).toMatchObject({ skalSlettes: 1, manglendeSider: [] });
  expect(await api.owner.query('select from synk_avtale')).toHaveLength(0);
});

test('a change that comes during a full sync survives it, and so it does in a replay', async () => {
  const known = avtaler(10);
  const first = newId();
  await api.sendPage('POST', { synkId: first }, known);
  await api.waitFor(first, 'FULLFOERT');
  const full = newId();
  const kept = known.slice(0, 8);
  await api.sendPage('POST', { synkId: full, side: 1, antallSider: 2, antallTotalt: 8 }, kept.slice(0, 4));
  const [, , , , , , , , changed, away] = known as Record<number, { id: string }> & { id: string }[];
  const whole = newId();
  await api.sendPage('PATCH', { synkId: newId() }, [
    { id: changed?.id ?? '', sistEndret: '2026-02-01T00:00:00Z' },
    { id: whole, sistEndret: '2026-02-01T00:00:00Z' },
  ]);
  await api.sendPage('POST', { synkId: full, side: 2, antallSider: 2, antallTotalt: 8 }, kept.slice(4));
  await api.waitFor(full, 'FULLFOERT');
  const after = await api.visible();
  expect(Object.keys(after).sort()).toEqual([...kept.map(({ id }) => id), changed?.id, whole].sort());
  expect(after).not.toHaveProperty(away?.id ?? '');
  await replayAll();
  const left = await api.visible();
  const own = [...known.map(({ id }) => id), whole].filter((id) => id in left).sort();
  expect(own).toEqual(Object.keys(after).sort());
});

/** As a new database would: everything on the topic again, from the start. */
async function replayAll(): Promise<void> {
  await api.owner.query('truncate avtale, avtale_versjon, endring, relasjon');
  const messages = await readTopic();
  for (const partition of new Set(messages.map((message) => message.partition))) {
    const own = messages.filter((message) => message.partition === partition);
    const end = (own.at(-1)?.offset ?? 0) + 1;
    await api.owner.query(
      `insert into konsum_offset values ('replay', $1, 0) on conflict (topic, partisjon) do update set neste_offset = 0`,
      [partition],
    );
    await api.ingest({
      topic: 'replay',
      epoch: 0,
      partition,
      fetchedFrom: 0,
      messages: own,
      nextOffset: end,
      endOffset: end,
    });
  }
}

async function readTopic(): Promise<
  { partition: number; offset: number; key: Buffer | null; value: Buffer | null; deleteBefore?: number }[]
> {
  const consumer = createKafka({ brokers: testEnvironment().kafka.split(','), clientId: 'replay' }).consumer({
    groupId: newId(),
  });
  const received: Awaited<ReturnType<typeof readTopic>> = [];

  await consumer.connect();
  await consumer.subscribe({ topic: api.topic.topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const header = message.headers?.['slett-foer'];
      received.push({
        partition,
        offset: Number(message.offset),
        key: message.key,
        value: message.value,
        ...(header ? { deleteBefore: Number(String(header)) } : {}),
      });
    },
  });
  const count = await countOnTopic();
  await waitUntil(async () => received.length >= count, { what: 'the topic to be read' });
  await consumer.disconnect();
  return received.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

test('a page that is sent again changes nothing, in parallel or later; with other content it is refused', async () => {
  const header = { synkId: newId(), antallSider: 2, antallTotalt: 20 };
  const page = avtaler(10);
  const before = await countOnTopic();
  const response = await Promise.all([1, 2, 3].map(() => api.sendPage('POST', { ...header, side: 1 }, page)));
  expect(response.map(({ status }) => status)).toEqual([201, 201, 201]);
  expect(await countOnTopic()).toBe(before + 10);
  expect(await api.sendPage('POST', { ...header, side: 1 }, avtaler(10))).toMatchObject({
    status: 409,
    body: { type: 'urn:tiltak-datadeling:feil:konflikt' },
  });
  expect((await api.send('GET', `synk/${header.synkId}`)).body).toMatchObject({ tilstand: 'MOTTAR', mottatteSider: 1 });
  expect(await countOnTopic()).toBe(before + 10);
});

test('a newer full sync replaces an older one', async () => {
  const [old, newer] = [newId(), newId()];
  const common = avtaler(1);
  await api.sendPage('POST', { synkId: old, antallSider: 2, antallTotalt: 2, side: 1 }, common);
  await api.sendPage('POST', { synkId: newer, antallSider: 2, antallTotalt: 2, side: 1 }, avtaler(1));
  expect(
    await api.sendPage('POST', { synkId: old, antallSider: 2, antallTotalt: 2, side: 2 }, avtaler(1)),
  ).toMatchObject({
    status: 409,
    body: { tilstand: 'ERSTATTET' },
  });
  await api.sendPage('POST', { synkId: newer, antallSider: 2, antallTotalt: 2, side: 2 }, common);
  await api.waitFor(newer, 'FULLFOERT');
});

test.each([
  ['deletes more than a fifth', 10, 7],
  ['is empty', 3, 0],
])('a full sync that %s waits to be confirmed', async (_, known, kept) => {
  const all = avtaler(known);
  const first = newId();
  await api.sendPage('POST', { synkId: first }, all);
  await api.waitFor(first, 'FULLFOERT');
  const full = newId();
  await api.sendPage('POST', { synkId: full }, all.slice(0, kept));
  await api.waitFor(full, 'VENTER_PAA_BEKREFTELSE');
  expect(Object.keys(await api.visible())).toHaveLength(known);
  expect(await api.send('POST', `synk/${full}/bekreft`)).toMatchObject({ status: 200, body: { tilstand: 'SLETTER' } });
  await api.waitFor(full, 'FULLFOERT');
  expect(Object.keys(await api.visible())).toHaveLength(kept);
  expect((await api.send('POST', `synk/${full}/bekreft`)).status).toBe(200);
  expect((await api.send('POST', `synk/${first}/bekreft`)).status).toBe(409);
});

test('what a full sync deletes needs one connection, however long it looks whether all is stored', async () => {
  const { adapter, config } = api.ingestor;
  const pool = createPool({ ...databaseOptionsFrom(config), poolSize: 1, connectTimeoutMs: 500 });
  const completion = new SyncCompletion(pool, adapter.publishers, adapter.syncs, 100);
  const [first, second] = [newId(), newId()];
  const [kept, gone] = [newId(), newId()];
  await api.sendPage('POST', { synkId: first }, [{ id: kept }, { id: gone }]);
  await api.waitFor(first, 'FULLFOERT');
  await api.sendPage('POST', { synkId: second }, [{ id: kept }]);
  try {
    await waitUntil(
      async () => {
        await completion.round();
        return (await api.send('GET', `synk/${second}`)).body.tilstand === 'FULLFOERT';
      },
      { what: 'the sync to be completed' },
    );
  } finally {
    await pool.end();
  }
  await waitUntil(() => completion.isIngested('avtaler', api.ingestor.pool), { what: 'it to be deleted' });
  expect(Object.keys(await api.visible())).toEqual([kept]);
});

test('a sync without pages stalls, and then expires', async () => {
  const header = { synkId: newId(), antallSider: 2, antallTotalt: 2 };
  await api.sendPage('PATCH', { ...header, side: 1 }, avtaler(1));
  const older = (minutes: number): Promise<unknown> =>
    api.owner.query(`update synk_side set mottatt = now() - make_interval(mins => $1)`, [minutes]);
  await older(4);
  expect((await api.send('GET', `synk/${header.synkId}`)).body).toMatchObject({ tilstand: 'MOTTAR', stanset: true });
  await older(16);
  expect(await api.sendPage('PATCH', { ...header, side: 2 }, avtaler(1))).toMatchObject({
    status: 409,
    body: { tilstand: 'UTLOEPT' },
  });
  await api.completion.round();
  await older(0);
  expect((await api.send('GET', `synk/${header.synkId}`)).body).toMatchObject({
    tilstand: 'UTLOEPT',
    avsluttet: expect.any(String),
  });
});

test('a sync that ended long ago is forgotten, but not the last full one', async () => {
  const [oldest, last, delta, running] = [newId(), newId(), newId(), newId()];
  const avtale = avtaler(1);
  for (const syncId of [oldest, last]) {
    await api.sendPage('POST', { synkId: syncId }, avtale);
    await api.waitFor(syncId, 'FULLFOERT');
  }
  await api.sendPage('PATCH', { synkId: delta }, avtaler(1));
  await api.sendPage('PATCH', { synkId: running, side: 1, antallSider: 2, antallTotalt: 2 }, avtaler(1));
  await api.owner.query(
    `update synk set startet = startet - interval '40 days', avsluttet = avsluttet - interval '40 days'`,
  );
  await deleteOldSyncs(api.pool);
  const left = await api.owner.query<{ synk_id: string }[]>('select synk_id from synk order by synk_id');
  expect(left.map((row) => row.synk_id)).toEqual([last, running].sort());
});

test('delete by id', async () => {
  const [a, b] = avtaler(2);
  await api.sendPage(
    'PATCH',
    { synkId: newId() },
    [a, b].flatMap((x) => (x ? [x] : [])),
  );
  const response = await api.sendPage('DELETE', { synkId: newId() }, [{ id: a?.id ?? '' }]);
  expect(response).toMatchObject({ status: 201, body: { tilstand: 'FULLFOERT', type: 'SLETT' } });
  await waitUntil(() => api.completion.isIngested('avtaler'), { what: 'everything to be stored' });
  expect(Object.keys(await api.visible())).toEqual([b?.id]);
});

test('every entry that is wrong is named by index and field, no value is told, and nothing is published', async () => {
  const fnr = syntheticFnr(1);
  const good = avtaler(1);
  const before = await countOnTopic();
  const response = await api.sendPage('POST', { synkId: newId() }, [
    ...good,
    { id: newId(), startDato: fnr, avtaleNr: 'x', deltakerFnr: 7 },
    { id: fnr },
    { id: newId(), avtaleId: newId() },
    ...good,
    { id: newId(), sistEndret: null },
    { id: newId(), sistEndret: new Date(Date.now() + 24 * 3_600_000 + 60_000).toISOString() },
    { id: newId(), sistEndret: new Date(Date.now() + 23 * 3_600_000).toISOString() },
  ]);
  expect(response.status).toBe(400);
  expect(response.body.feil.map(({ felt: field }: { felt: string }) => field).sort()).toEqual([
    'ressurser[1].ressurs.avtaleNr',
    'ressurser[1].ressurs.deltakerFnr',
    'ressurser[1].ressurs.startDato',
    'ressurser[2].id',
    'ressurser[3].id',
    'ressurser[4].id',
    'ressurser[5].ressurs.sistEndret',
    'ressurser[6].ressurs.sistEndret',
  ]);
  expect(response.body.feil.at(-1).melding).toBe("is more than 24 hours ahead of the server's clock");
  expect(JSON.stringify(response.body)).not.toContain(fnr);
  expect(await countOnTopic()).toBe(before);
});

test.each([
  [{ side: 0 }, 'metadata.side'],
  [{ side: 3, antallSider: 2 }, 'metadata.side'],
  [{ antallSider: 0 }, 'metadata.antallSider'],
  [{ antallTotalt: -1 }, 'metadata.antallTotalt'],
  [{ antallTotalt: 7 }, 'metadata.antallTotalt'],
  [{ synkId: 'a b' }, 'metadata.synkId'],
])('metadata %j is refused', async (header, field) => {
  const response = await api.sendPage('POST', { synkId: newId(), ...header }, avtaler(2));
  expect(response).toMatchObject({
    status: 400,
    body: { feil: expect.arrayContaining([expect.objectContaining({ felt: field })]) },
  });
});

test.each([
  ['a number without end', '"stillingprosent":1e400', 400, 'ressurser[0].ressurs.stillingprosent'],
  ['what is not kept, however much there is of it', `"annet":[${'0,'.repeat(9_000)}0]`, 201, undefined],
  ['too much in one entry', `"annet":[${'0,'.repeat(20_000)}0]`, 413, undefined],
  ['an entry that is not JSON', '"stillingprosent":01', 400, undefined],
  ['an entry that ends early', '"annet":[}', 400, undefined],
])('%s', async (_, member, status, field) => {
  const id = newId();
  const entry = `{"id":"${id}","ressurs":{"avtaleId":"${id}","sistEndret":"2026-01-01T00:00:00Z",${member}}}`;
  const metadata = JSON.stringify({ synkId: newId(), side: 1, antallSider: 1, antallTotalt: 1 });
  const response = await fetch(`${api.url}/adapter/v1/avtaler/synk`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${await api.tokenWith(ADAPTER)}`, 'content-type': 'application/json' },
    body: `{ "metadata" : ${metadata} , "ressurser" : [ ${entry} ] }`,
  });
  const { feil } = (await response.json()) as { feil?: { felt: string }[] };
  expect([response.status, feil?.[0]?.felt]).toEqual([status, field]);
});

test('a list of faults has an end, and too many entries are 413', async () => {
  const response = await api.sendPage('POST', { synkId: newId() }, avtaler(150, { startDato: 'x' }));
  expect(response.body).toMatchObject({ flereFeil: 50 });
  expect(response.body.feil).toHaveLength(100);
  expect((await api.sendPage('DELETE', { synkId: newId() }, avtaler(10_001))).status).toBe(413);
  expect((await api.sendPage('PATCH', { synkId: newId() }, avtaler(10_000))).status).toBe(201);
});

test('what is pushed is stored as what the stream says', async () => {
  const fields = {
    deltakerFnr: syntheticFnr(3),
    tiltakstype: 'MENTOR',
    stillingprosent: 50,
    avtaleInngått: '2026-10-25T02:30:00',
    godkjentPaVegneAv: true,
    sistEndret: '2026-03-01T10:00:00.1234565Z',
  };
  const save = async (send: (avtaleId: string) => Promise<unknown>): Promise<unknown> => {
    const avtaleId = newId();
    await send(avtaleId);
    await waitUntil(() => api.completion.isIngested('avtaler'), { what: 'everything to be stored' });
    const [row] = await api.owner.query<{ content: unknown }[]>(
      `select to_jsonb(a) - array['avtale_id', 'kilde_offset', 'kilde_partisjon', 'kilde_skrevet', 'avtrykk', 'mottatt'] as content
       from avtale a where avtale_id = $1`,
      [avtaleId],
    );
    return row?.content;
  };
  const fromStream = await save((avtaleId) =>
    api.topic.publish([{ key: avtaleId, value: JSON.stringify({ avtaleId, ...fields }) }]),
  );
  expect(fromStream).toMatchObject({ tiltakstype: 'MENTOR', stillingprosent: null });
  for (const method of ['POST', 'PATCH'] as const) {
    const fromAdapter = await save((id) => api.sendPage(method, { synkId: newId() }, [{ id, ...fields }]));
    expect(fromAdapter).toEqual(fromStream);
  }
});

test('what is not in the reduced avtale does not reach Kafka', async () => {
  await api.sendPage('PATCH', { synkId: newId() }, [
    {
      id: newId(),
      deltakerFornavn: 'Kari',
      manedslonn: 1,
      annullertGrunn: 'Syk',
      godkjentPaVegneGrunn: { reservert: true },
    },
    {
      id: newId(),
      annullertGrunn: 'Ikke møtt',
      godkjentPaVegneGrunn: { reservert: true, arenaMigreringDeltaker: true },
    },
  ]);
  const sent = (await readTopic()).map(({ value }) => String(value)).join();
  expect(sent).not.toMatch(/Kari|manedslonn|Syk|reservert/);
  // What the phase needs to know goes on, in that form.
  expect(sent).toContain('"annullertGrunn":"Ikke møtt"');
  expect(sent).toContain('"godkjentPaVegneGrunn":{"arenaMigreringDeltaker":true}');
});

test('random syncs, in any order, with repeats: what is stored is what the adapter holds', async () => {
  // Only what is newer revives what an earlier sync has deleted.
  let time = Date.now();
  const ids = avtaler(12).map(({ id }) => id);
  const step = fc.record({
    kept: fc.subarray(ids, { minLength: 10 }),
    sider: fc.integer({ min: 1, max: 3 }),
    avbrutt: fc.boolean(),
    repeat: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 3 }), async (syncs) => {
      for (const { kept, sider: pages, avbrutt: aborted, repeat } of syncs) {
        const syncId = newId();
        const sistEndret = new Date((time += 1_000)).toISOString();
        const parts = Array.from({ length: pages }, (_, nr) => kept.filter((_id, i) => i % pages === nr));
        const toSend = parts.map((part, nr) => ({ del: part, side: nr + 1 })).reverse();
        const actual = aborted ? toSend.slice(1) : toSend;
        await Promise.all(
          [...actual, ...(repeat ? actual : [])].map(({ del: part, side: page }) =>
            api.sendPage(
              'POST',
              { synkId: syncId, side: page, antallSider: pages, antallTotalt: kept.length },
              part.map((id) => ({ id, sistEndret })),
            ),
          ),
        );
        if (aborted) continue;
        await waitUntil(
          async () => {
            await api.completion.round();
            const { tilstand: state } = (await api.send('GET', `synk/${syncId}`)).body;
            if (state === 'VENTER_PAA_BEKREFTELSE') await api.send('POST', `synk/${syncId}/bekreft`);
            return state === 'FULLFOERT';
          },
          { what: 'the sync to end' },
        );
        await waitUntil(() => api.completion.isIngested('avtaler'), { what: 'everything to be stored' });
        expect(Object.keys(await api.visible()).sort()).toEqual([...kept].sort());
      }
    }),
    { numRuns: 6 },
  );
}, 120_000);

test('what the contract does not know is named in the answer, with the field that is meant, and refused where it says so', async () => {
  const fnr = syntheticFnr(5);
  const entries = [
    ...avtaler(1),
    {
      ...avtaler(1)[0],
      id: newId(),
      avtaleInngaatt: '2026-01-15T12:00:00',
      godkjentPaaVegneAv: true,
      tiltaksType: 'MENTOR',
      avtaleStatus: 'GJENNOMFORES',
      godkjentAvDeltaker: '2026-01-15T12:00:00+01:00',
      godkjentPaVegneGrunn: { arenaMigreringDeltaker: true, ikkeBankId: true },
      [fnr]: 'x',
    },
  ];
  const syncId = newId();
  const taken = await api.sendPage('PATCH', { synkId: syncId }, entries);
  const told = {
    'ressurser.ressurs.(a name that is not shown)': ['UKJENT_FELT', null],
    'ressurser.ressurs.avtaleInngaatt': ['UKJENT_FELT', 'avtaleInngått'],
    'ressurser.ressurs.avtaleStatus': ['UKJENT_KODE', null],
    'ressurser.ressurs.godkjentAvDeltaker': ['TID_MED_FORSKYVNING', null],
    'ressurser.ressurs.godkjentPaVegneGrunn.ikkeBankId': ['UKJENT_FELT', null],
    'ressurser.ressurs.godkjentPaaVegneAv': ['UKJENT_FELT', 'godkjentPaVegneAv'],
    'ressurser.ressurs.tiltaksType': ['UKJENT_FELT', 'tiltakstype'],
  };
  interface Remark {
    felt: string;
    slag: string;
    mente: string | null;
    antall: number;
    side: number;
    innslag: number;
  }
  const remarks = taken.body.merknader as Remark[];
  expect(Object.fromEntries(remarks.map(({ felt, slag, mente }) => [felt, [slag, mente]]))).toEqual(told);
  for (const remark of remarks) expect(remark).toMatchObject({ antall: 1, side: 1, innslag: 1 });
  expect((await api.send('GET', `synk/${syncId}`)).body.merknader).toEqual(remarks);

  await api.send('PUT', 'kontrakt', { ...CONTRACT, ukjenteFelter: 'AVVIS' });
  const before = await countOnTopic();
  const refusedId = newId();
  const refused = await api.sendPage('PATCH', { synkId: refusedId }, entries);
  expect(refused.status).toBe(400);
  const reasons = Object.fromEntries(
    (refused.body.feil as { felt: string; melding: string }[]).map(({ felt, melding }) => [felt, melding]),
  );
  expect(Object.keys(reasons).sort()).toEqual(
    Object.keys(told)
      .filter((field) => !field.endsWith('avtaleStatus'))
      .map((field) => field.replace('ressurser', 'ressurser[1]'))
      .sort(),
  );
  expect(reasons['ressurser[1].ressurs.avtaleInngaatt']).toBe(
    'is not a field of the contract: did you mean avtaleInngått?',
  );
  expect(await countOnTopic()).toBe(before);
  // A first page that is refused makes no sync, and is seen all the same.
  const status = (await api.send('GET', 'status')).body;
  expect(status.sisteFeil).toMatchObject({ synkId: refusedId, side: 1, status: 400 });
  expect(status.sisteFeil.feil).toHaveLength(6);
  expect(JSON.stringify([taken.body, refused.body, status])).not.toContain(fnr);
  expect(JSON.stringify((await api.call('GET', '/drift/v1/status')).body.adapter.sisteFeil)).toContain(refusedId);
  await api.send('PUT', 'kontrakt', CONTRACT);
});

test('what the entries came to is counted when the stream has stored them, and the last refusal of a sync stays with it', async () => {
  const at = (day: number): { sistEndret: string } => ({ sistEndret: `2026-03-0${String(day)}T10:00:00Z` });
  const [a, b, c, d] = [newId(), newId(), newId(), newId()];
  const counts = async (syncId: string): Promise<unknown> => {
    let body: Record<string, unknown> = {};
    await waitUntil(
      async () => {
        await api.completion.countPages();
        ({ body } = (await api.send('GET', `synk/${syncId}`)) as { body: Record<string, unknown> });
        const { endret, uendret, foreldet, parkert } = body as Record<string, number>;
        return (endret ?? 0) + (uendret ?? 0) + (foreldet ?? 0) + (parkert ?? 0) === body['mottatteRessurser'];
      },
      { what: 'the entries to be counted' },
    );
    return [body['endret'], body['uendret'], body['foreldet'], body['parkert']];
  };
  const send = async (
    method: 'PATCH' | 'DELETE',
    entries: ({ id: string } & Record<string, unknown>)[],
  ): Promise<unknown> => {
    const syncId = newId();
    expect((await api.sendPage(method, { synkId: syncId }, entries)).status).toBe(201);
    return counts(syncId);
  };
  expect(
    await send(
      'PATCH',
      [a, b, c].map((id) => ({ id, ...at(2) })),
    ),
  ).toEqual([3, 0, 0, 0]);
  expect(
    await send('PATCH', [
      { id: a, ...at(2) },
      { id: b, ...at(1), avtaleNr: 7 },
      { id: c, ...at(3), avtaleNr: 7 },
      { id: d, ...at(3) },
    ]),
  ).toEqual([2, 1, 1, 0]);
  expect(await send('PATCH', [{ id: a, ...at(4), slettemerket: true }])).toEqual([1, 0, 0, 0]);
  expect(await send('DELETE', [{ id: a }, { id: b }, { id: newId() }])).toEqual([1, 2, 0, 0]);
  expect(await send('PATCH', [{ id: b, ...at(1) }])).toEqual([0, 0, 1, 0]);

  const syncId = newId();
  await api.sendPage('PATCH', { synkId: syncId, antallSider: 2, antallTotalt: 2 }, [{ id: c, ...at(5) }]);
  await api.sendPage('PATCH', { synkId: syncId, side: 2, antallSider: 2, antallTotalt: 2 }, [
    { id: d, startDato: 'i dag' },
  ]);
  expect((await api.send('GET', `synk/${syncId}`)).body.sisteFeil).toMatchObject({
    synkId: syncId,
    side: 2,
    status: 400,
    feil: [{ felt: 'ressurser[0].ressurs.startDato' }],
  });
});

test('a page that can not be counted holds no other', async () => {
  const [first, second] = [newId(), newId()];
  await api.owner.query(`create function nekt() returns trigger language plpgsql as
    $$ begin if new.endret is not null and new.synk_id = '${first}' then raise 'no'; end if; return new; end $$`);
  await api.owner.query('create trigger nekt before update on synk_side for each row execute function nekt()');
  try {
    for (const syncId of [first, second]) {
      const entries = [{ id: newId() }];
      const isTaken = async (): Promise<boolean> =>
        (await api.sendPage('PATCH', { synkId: syncId }, entries)).status === 201;
      await waitUntil(isTaken, { what: 'the page to be taken' });
    }
    const isCounted = async (syncId: string): Promise<boolean> => {
      await api.completion.countPages().catch(() => undefined);
      const { endret, uendret, foreldet, parkert } = (await api.send('GET', `synk/${syncId}`)).body;
      return endret + uendret + foreldet + parkert === 1;
    };
    await waitUntil(() => isCounted(second), { what: 'the other page to be counted' });
    expect(await isCounted(first)).toBe(false);
    await api.owner.query('drop function nekt cascade');
    await waitUntil(() => isCounted(first), { what: 'the page to be counted after all' });
  } finally {
    await api.owner.query('drop function if exists nekt cascade');
  }
});

test('the feed is searched for deletes only of a page that may have some', async () => {
  const syncId = newId();
  await api.sendPage('PATCH', { synkId: syncId }, [{ id: newId() }]);
  const runner = api.owner.createQueryRunner();
  const db = (await runner.connect()) as PoolClient;
  await runner.startTransaction();
  const searches = async (page: number, sistEndret: string | null): Promise<number> => {
    await db.query(
      `insert into synk_side (synk_id, side, avtrykk, antall, avtaler, sist_endret)
       values ($1, $2, '', 1, array[gen_random_uuid()], array[$3::timestamptz])`,
      [syncId, page, sistEndret],
    );
    const count = async (): Promise<number> => {
      const { rows } = await db.query<{ n: number }>(
        `select sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0))::int as n from pg_stat_xact_user_tables
         where relname like 'endring%'`,
      );
      return rows[0]?.n ?? 0;
    };
    const before = await count();
    await countPage(db, { ressurs: 'avtaler', synkId: syncId, side: page });
    return (await count()) - before;
  };
  // Once in each month that the feed has.
  const found = [await searches(98, '2026-03-01T10:00:00Z'), await searches(99, null)].map((count) => count > 0);
  await runner.rollbackTransaction();
  await runner.release();
  expect(found).toEqual([false, true]);
});
