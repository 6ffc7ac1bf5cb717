import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { startTestAdapter, KONTRAKT, type TestAdapter } from '../testing/test-adapter.ts';
import { syntetiskFnr, testmiljo, ventTil } from '@tiltak/testing';
import { lagKafka } from '../kafka/klient.ts';
import { glemGamle } from './synk.queries.ts';

let api: TestAdapter;

beforeAll(async () => {
  api = await startTestAdapter();
  api.les();
  await api.send('PUT', 'kontrakt', KONTRAKT);
});
afterAll(() => api.stopp());
beforeEach(async () => {
  await ventTil(() => api.sletting.erLestInn(), { hva: 'everything to be stored' });
  await api.eier.query(
    'truncate avtale, avtale_versjon, endring, relasjon, parkert_melding, synk, synk_side, synk_avtale',
  );
});

const ny = randomUUID;
const avtaler = (antall: number, felter = {}): { id: string }[] =>
  Array.from({ length: antall }, (_, nr) => ({ id: ny(), avtaleNr: nr, ...felter }));
const antallPaaTopic = async (): Promise<number> =>
  [...(await api.publisering.slutt()).values()].reduce((a, b) => a + b, 0);

test('a full sync deletes what it did not hold, and nothing else', async () => {
  const [a, b, c, d, e, f] = avtaler(6).map(({ id }) => id) as [string, string, string, string, string, string];
  const foerste = ny();
  await api.side(
    'POST',
    { synkId: foerste },
    [a, b, c, d, e, f].map((id) => ({ id, avtaleNr: 1 })),
  );
  await api.ventPaa(foerste, 'FULLFOERT');
  const andre = ny();
  const hode = { synkId: andre, antallSider: 2, antallTotalt: 5 };
  expect(await api.side('POST', { ...hode, side: 2 }, [{ id: c }, { id: d }])).toMatchObject({
    status: 201,
    body: { tilstand: 'MOTTAR', mottatteSider: 1, manglendeSider: [1], mottatteRessurser: 2 },
  });
  await api.side('POST', { ...hode, side: 1 }, [{ id: a }, { id: b }, { id: e }]);
  await api.ventPaa(andre, 'FULLFOERT');
  expect(Object.keys(await api.synlige()).sort()).toEqual([a, b, c, d, e].sort());
  expect((await api.send('GET', `synk/${andre}`)).body).toMatchObject({ skalSlettes: 1, manglendeSider: [] });
  expect(await api.eier.query('select from synk_avtale')).toHaveLength(0);
});

test('a change that comes during a full sync survives it, and so it does in a replay', async () => {
  const kjente = avtaler(10);
  const foerste = ny();
  await api.side('POST', { synkId: foerste }, kjente);
  await api.ventPaa(foerste, 'FULLFOERT');
  const full = ny();
  const beholdt = kjente.slice(0, 8);
  await api.side('POST', { synkId: full, side: 1, antallSider: 2, antallTotalt: 8 }, beholdt.slice(0, 4));
  const [, , , , , , , , endret, borte] = kjente as Record<number, { id: string }> & { id: string }[];
  const helt = ny();
  await api.side('PATCH', { synkId: ny() }, [
    { id: endret?.id ?? '', sistEndret: '2026-02-01T00:00:00Z' },
    { id: helt, sistEndret: '2026-02-01T00:00:00Z' },
  ]);
  await api.side('POST', { synkId: full, side: 2, antallSider: 2, antallTotalt: 8 }, beholdt.slice(4));
  await api.ventPaa(full, 'FULLFOERT');
  const etter = await api.synlige();
  expect(Object.keys(etter).sort()).toEqual([...beholdt.map(({ id }) => id), endret?.id, helt].sort());
  expect(etter).not.toHaveProperty(borte?.id ?? '');
  await spillAvAlt();
  const igjen = await api.synlige();
  const egne = [...kjente.map(({ id }) => id), helt].filter((id) => id in igjen).sort();
  expect(egne).toEqual(Object.keys(etter).sort());
});

/** As a new database would: everything on the topic again, from the start. */
async function spillAvAlt(): Promise<void> {
  await api.eier.query('truncate avtale, avtale_versjon, endring, relasjon');
  const meldinger = await lesTopic();
  for (const partisjon of new Set(meldinger.map((melding) => melding.partisjon))) {
    const egne = meldinger.filter((melding) => melding.partisjon === partisjon);
    const slutt = (egne.at(-1)?.offset ?? 0) + 1;
    await api.eier.query(
      `insert into konsum_offset values ('replay', $1, 0) on conflict (topic, partisjon) do update set neste_offset = 0`,
      [partisjon],
    );
    await api.innlesning.lesInn({
      topic: 'replay',
      partisjon,
      hentetFra: 0,
      meldinger: egne,
      nesteOffset: slutt,
      sluttOffset: slutt,
    });
  }
}

async function lesTopic(): Promise<
  { partisjon: number; offset: number; nokkel: Buffer | null; verdi: Buffer | null; slettFoer?: number }[]
> {
  const consumer = lagKafka({ brokers: testmiljo().kafka.split(','), clientId: 'replay' }).consumer({ groupId: ny() });
  const lest: Awaited<ReturnType<typeof lesTopic>> = [];
  const slutt = await api.publisering.slutt();
  await consumer.connect();
  await consumer.subscribe({ topic: api.topic.topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const hode = message.headers?.['slett-foer'];
      lest.push({
        partisjon: partition,
        offset: Number(message.offset),
        nokkel: message.key,
        verdi: message.value,
        ...(hode ? { slettFoer: Number(String(hode)) } : {}),
      });
    },
  });
  const antall = [...slutt.values()].reduce((a, b) => a + b, 0);
  await ventTil(async () => lest.length >= antall, { hva: 'the topic to be read' });
  await consumer.disconnect();
  return lest.sort((a, b) => a.partisjon - b.partisjon || a.offset - b.offset);
}

test('a page that is sent again changes nothing, in parallel or later; with other content it is refused', async () => {
  const hode = { synkId: ny(), antallSider: 2, antallTotalt: 20 };
  const side = avtaler(10);
  const foer = await antallPaaTopic();
  const svar = await Promise.all([1, 2, 3].map(() => api.side('POST', { ...hode, side: 1 }, side)));
  expect(svar.map(({ status }) => status)).toEqual([201, 201, 201]);
  expect(await antallPaaTopic()).toBe(foer + 10);
  expect(await api.side('POST', { ...hode, side: 1 }, avtaler(10))).toMatchObject({
    status: 409,
    body: { type: 'urn:tiltak-datadeling:feil:konflikt' },
  });
  expect((await api.send('GET', `synk/${hode.synkId}`)).body).toMatchObject({ tilstand: 'MOTTAR', mottatteSider: 1 });
  expect(await antallPaaTopic()).toBe(foer + 10);
});

test('a newer full sync replaces an older one', async () => {
  const [gammel, nyere] = [ny(), ny()];
  const felles = avtaler(1);
  await api.side('POST', { synkId: gammel, antallSider: 2, antallTotalt: 2, side: 1 }, felles);
  await api.side('POST', { synkId: nyere, antallSider: 2, antallTotalt: 2, side: 1 }, avtaler(1));
  expect(
    await api.side('POST', { synkId: gammel, antallSider: 2, antallTotalt: 2, side: 2 }, avtaler(1)),
  ).toMatchObject({
    status: 409,
    body: { tilstand: 'ERSTATTET' },
  });
  await api.side('POST', { synkId: nyere, antallSider: 2, antallTotalt: 2, side: 2 }, felles);
  await api.ventPaa(nyere, 'FULLFOERT');
});

test.each([
  ['deletes more than a fifth', 10, 7],
  ['is empty', 3, 0],
])('a full sync that %s waits to be confirmed', async (_, kjente, beholdt) => {
  const alle = avtaler(kjente);
  const foerste = ny();
  await api.side('POST', { synkId: foerste }, alle);
  await api.ventPaa(foerste, 'FULLFOERT');
  const full = ny();
  await api.side('POST', { synkId: full }, alle.slice(0, beholdt));
  await api.ventPaa(full, 'VENTER_PAA_BEKREFTELSE');
  expect(Object.keys(await api.synlige())).toHaveLength(kjente);
  expect(await api.send('POST', `synk/${full}/bekreft`)).toMatchObject({ status: 200, body: { tilstand: 'SLETTER' } });
  await api.ventPaa(full, 'FULLFOERT');
  expect(Object.keys(await api.synlige())).toHaveLength(beholdt);
  expect((await api.send('POST', `synk/${full}/bekreft`)).status).toBe(200);
  expect((await api.send('POST', `synk/${foerste}/bekreft`)).status).toBe(409);
});

test('a sync without pages stalls, and then expires', async () => {
  const hode = { synkId: ny(), antallSider: 2, antallTotalt: 2 };
  await api.side('PATCH', { ...hode, side: 1 }, avtaler(1));
  const eldre = (minutter: number): Promise<unknown> =>
    api.eier.query(`update synk_side set mottatt = now() - make_interval(mins => $1)`, [minutter]);
  await eldre(4);
  expect((await api.send('GET', `synk/${hode.synkId}`)).body).toMatchObject({ tilstand: 'MOTTAR', stanset: true });
  await eldre(16);
  expect(await api.side('PATCH', { ...hode, side: 2 }, avtaler(1))).toMatchObject({
    status: 409,
    body: { tilstand: 'UTLOEPT' },
  });
  await api.sletting.runde();
  await eldre(0);
  expect((await api.send('GET', `synk/${hode.synkId}`)).body).toMatchObject({
    tilstand: 'UTLOEPT',
    avsluttet: expect.any(String),
  });
});

test('a sync that ended long ago is forgotten, but not the last full one', async () => {
  const [eldste, siste, delta, paagaar] = [ny(), ny(), ny(), ny()];
  const avtale = avtaler(1);
  for (const synkId of [eldste, siste]) {
    await api.side('POST', { synkId }, avtale);
    await api.ventPaa(synkId, 'FULLFOERT');
  }
  await api.side('PATCH', { synkId: delta }, avtaler(1));
  await api.side('PATCH', { synkId: paagaar, side: 1, antallSider: 2, antallTotalt: 2 }, avtaler(1));
  await api.eier.query(
    `update synk set startet = startet - interval '40 days', avsluttet = avsluttet - interval '40 days'`,
  );
  await glemGamle(api.pool);
  const igjen = await api.eier.query<{ synk_id: string }[]>('select synk_id from synk order by synk_id');
  expect(igjen.map((rad) => rad.synk_id)).toEqual([siste, paagaar].sort());
});

test('delete by id', async () => {
  const [a, b] = avtaler(2);
  await api.side(
    'PATCH',
    { synkId: ny() },
    [a, b].flatMap((x) => (x ? [x] : [])),
  );
  const svar = await api.side('DELETE', { synkId: ny() }, [{ id: a?.id ?? '' }]);
  expect(svar).toMatchObject({ status: 201, body: { tilstand: 'FULLFOERT', type: 'SLETT' } });
  await ventTil(() => api.sletting.erLestInn(), { hva: 'everything to be stored' });
  expect(Object.keys(await api.synlige())).toEqual([b?.id]);
});

test('every entry that is wrong is named by index and field, no value is told, and nothing is published', async () => {
  const fnr = syntetiskFnr(1);
  const god = avtaler(1);
  const foer = await antallPaaTopic();
  const svar = await api.side('POST', { synkId: ny() }, [
    ...god,
    { id: ny(), startDato: fnr, avtaleNr: 'x', deltakerFnr: 7 },
    { id: fnr },
    { id: ny(), avtaleId: ny() },
    ...god,
    { id: ny(), sistEndret: null },
  ]);
  expect(svar.status).toBe(400);
  expect(svar.body.feil.map(({ felt }: { felt: string }) => felt).sort()).toEqual([
    'ressurser[1].ressurs.avtaleNr',
    'ressurser[1].ressurs.deltakerFnr',
    'ressurser[1].ressurs.startDato',
    'ressurser[2].id',
    'ressurser[3].id',
    'ressurser[4].id',
    'ressurser[5].ressurs.sistEndret',
  ]);
  expect(JSON.stringify(svar.body)).not.toContain(fnr);
  expect(await antallPaaTopic()).toBe(foer);
});

test.each([
  [{ side: 0 }, 'metadata.side'],
  [{ side: 3, antallSider: 2 }, 'metadata.side'],
  [{ antallSider: 0 }, 'metadata.antallSider'],
  [{ antallTotalt: -1 }, 'metadata.antallTotalt'],
  [{ antallTotalt: 7 }, 'metadata.antallTotalt'],
  [{ synkId: 'a b' }, 'metadata.synkId'],
])('metadata %j is refused', async (hode, felt) => {
  const svar = await api.side('POST', { synkId: ny(), ...hode }, avtaler(2));
  expect(svar).toMatchObject({
    status: 400,
    body: { feil: expect.arrayContaining([expect.objectContaining({ felt })]) },
  });
});

test('a list of faults has an end, and too many entries are 413', async () => {
  const svar = await api.side('POST', { synkId: ny() }, avtaler(150, { startDato: 'x' }));
  expect(svar.body).toMatchObject({ flereFeil: 50 });
  expect(svar.body.feil).toHaveLength(100);
  expect((await api.side('DELETE', { synkId: ny() }, avtaler(10_001))).status).toBe(413);
  expect((await api.side('PATCH', { synkId: ny() }, avtaler(10_000))).status).toBe(201);
});

test('what is pushed is stored as what the stream says', async () => {
  const felter = {
    deltakerFnr: syntetiskFnr(3),
    tiltakstype: 'MENTOR',
    stillingprosent: 50,
    avtaleInngått: '2026-10-25T02:30:00',
    godkjentPaVegneAv: true,
    sistEndret: '2026-03-01T10:00:00.1234565Z',
  };
  const lagre = async (send: (avtaleId: string) => Promise<unknown>): Promise<unknown> => {
    const avtaleId = ny();
    await send(avtaleId);
    await ventTil(() => api.sletting.erLestInn(), { hva: 'everything to be stored' });
    const [rad] = await api.eier.query<{ rad: unknown }[]>(
      `select to_jsonb(a) - array['avtale_id', 'kilde_offset', 'kilde_partisjon', 'avtrykk', 'mottatt'] as rad
       from avtale a where avtale_id = $1`,
      [avtaleId],
    );
    return rad?.rad;
  };
  const fraStrommen = await lagre((avtaleId) =>
    api.topic.publiser([{ nokkel: avtaleId, verdi: JSON.stringify({ avtaleId, ...felter }) }]),
  );
  expect(fraStrommen).toMatchObject({ tiltakstype: 'MENTOR', stillingprosent: null });
  for (const metode of ['POST', 'PATCH'] as const) {
    const fraAdapteret = await lagre((id) => api.side(metode, { synkId: ny() }, [{ id, ...felter }]));
    expect(fraAdapteret).toEqual(fraStrommen);
  }
});

test('what is not in the reduced avtale does not reach Kafka', async () => {
  await api.side('PATCH', { synkId: ny() }, [{ id: ny(), deltakerFornavn: 'Kari', manedslonn: 1 }]);
  const meldinger = await lesTopic();
  expect(meldinger.some(({ verdi }) => /Kari|manedslonn/.test(String(verdi)))).toBe(false);
});

test('random syncs, in any order, with repeats: what is stored is what the adapter holds', async () => {
  // Only what is newer revives what an earlier sync has deleted.
  let tid = Date.now();
  const ider = avtaler(12).map(({ id }) => id);
  const steg = fc.record({
    beholdt: fc.subarray(ider, { minLength: 10 }),
    sider: fc.integer({ min: 1, max: 3 }),
    avbrutt: fc.boolean(),
    gjenta: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(steg, { minLength: 1, maxLength: 3 }), async (synker) => {
      for (const { beholdt, sider, avbrutt, gjenta } of synker) {
        const synkId = ny();
        const sistEndret = new Date((tid += 1_000)).toISOString();
        const deler = Array.from({ length: sider }, (_, nr) => beholdt.filter((_id, i) => i % sider === nr));
        const sendes = deler.map((del, nr) => ({ del, side: nr + 1 })).reverse();
        const faktisk = avbrutt ? sendes.slice(1) : sendes;
        await Promise.all(
          [...faktisk, ...(gjenta ? faktisk : [])].map(({ del, side }) =>
            api.side(
              'POST',
              { synkId, side, antallSider: sider, antallTotalt: beholdt.length },
              del.map((id) => ({ id, sistEndret })),
            ),
          ),
        );
        if (avbrutt) continue;
        await ventTil(
          async () => {
            await api.sletting.runde();
            const { tilstand } = (await api.send('GET', `synk/${synkId}`)).body;
            if (tilstand === 'VENTER_PAA_BEKREFTELSE') await api.send('POST', `synk/${synkId}/bekreft`);
            return tilstand === 'FULLFOERT';
          },
          { hva: 'the sync to end' },
        );
        await ventTil(() => api.sletting.erLestInn(), { hva: 'everything to be stored' });
        expect(Object.keys(await api.synlige()).sort()).toEqual([...beholdt].sort());
      }
    }),
    { numRuns: 6 },
  );
}, 120_000);
