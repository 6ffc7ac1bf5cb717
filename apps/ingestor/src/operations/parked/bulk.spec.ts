import { randomUUID } from 'node:crypto';
import { createTestTopic, ON_DUTY_NAV_IDENT, testEnvironment, waitUntil, type TestTopic } from '@tiltak/testing';
import fc from 'fast-check';
import { ingestBatch } from '../../ingest/ingest-batch.ts';
import { packBytes, unpackValue } from '../../ingest/parked-bytes.ts';
import { fingerprintOf } from '../../ingest/parse.ts';
import { Writer } from '../../ingest/writer.ts';
import type { RawMessage } from '../../kafka/batch.ts';
import { metrics } from '../../metrics.ts';
import { expectedVirksomheter, nr, raw, said } from '../../testing/said-virksomheter.ts';
import { batch, deltakerId, ID, message, PARTITION, TOPIC } from '../../testing/test-ingest.ts';
import { startTestIngestor, type TestIngestor } from '../../testing/test-ingestor.ts';
import { ParkedBulk } from './bulk.job.ts';
import { readWaiting } from './parked.queries.ts';
import { ParkedRetention } from './retention.job.ts';

let ingestor: TestIngestor;
let topic: TestTopic;
let units: TestTopic;
beforeAll(async () => {
  [topic, units] = await Promise.all([createTestTopic(), createTestTopic()]);
  ingestor = await startTestIngestor({
    KAFKA_BROKERS: testEnvironment().kafka,
    KAFKA_TOPIC: topic.topic,
    VIRKSOMHET_TOPIC: units.topic,
    KAFKA_GROUP_ID: randomUUID(),
  });
});
afterAll(async () => {
  await ingestor.stop();
  await Promise.all([topic.remove(), units.remove()]);
});
beforeEach(async () => {
  await ingestor.empty();
  await ingestor.owner.query('truncate parkert_handling, driftshandling restart identity');
});

const avtaleId = (n: number): string => `${ID.slice(0, -6)}${String(100_000 + n)}`;
const bad = (offset: number, field = 'startDato'): ReturnType<typeof message> =>
  message(offset, { avtaleId: avtaleId(offset), [field]: 'x' });

/** As if these could be used, and the reading of them was wrong, when they were parked. */
const parkGood = (count: number): Promise<unknown> =>
  ingestor.owner.query(
    `insert into parkert_melding (topic, partisjon, kafka_offset, nokkel, verdi, avtrykk, kode, felt, aarsak)
     select $1, $2, n, convert_to(id, 'UTF8'), verdi, sha256(convert_to(id, 'UTF8') || '\\x00' || verdi), 'UGYLDIG_FELT',
       'avtaleNr', 'was not understood then'
     from (select n, id, convert_to(json_build_object('avtaleId', id, 'avtaleNr', n, 'sistEndret', '2026-01-01T00:00:00Z')::text,
       'UTF8') as verdi from (select n, $4 || (100000 + n) as id from generate_series(0, $3::int - 1) n) tall) m`,
    [TOPIC, PARTITION, count, ID.slice(0, -6)],
  );

const start = (body: object): ReturnType<TestIngestor['call']> =>
  ingestor.call('POST', '/drift/v1/parkerte/samlet', body);
const progress = async (): Promise<Record<string, unknown>> =>
  (await ingestor.call('GET', '/drift/v1/parkerte/samlet')).body.siste;
const states = (): Promise<unknown> =>
  ingestor.owner.query('select tilstand, felt, count(*)::int from parkert_melding group by 1, 2 order by 1, 2');
const finish = (signal = new AbortController().signal): Promise<void> => ingestor.ingestor.parkedBulk.work(signal);
const actions = async (): Promise<unknown> => (await ingestor.call('GET', '/drift/v1/handlinger')).body.handlinger;

describe('the bytes of a parked message', () => {
  const packed = (value: Buffer | null): Buffer | null => packBytes({ key: null, value }, true).value;

  test('are packed, and read as they came; what does not get smaller stays as it is', async () => {
    const value = message(0, { startDato: 'x', oppfolging: 'æøå '.repeat(700), tilrettelegging: null }).value;
    for (const one of [value, Buffer.from([0xff]), Buffer.alloc(0), packed(value)]) {
      expect(packBytes({ key: null, value: one }, true).leftOut).toBe(false);
      expect(unpackValue(packed(one))).toEqual(one);
    }
    expect(packed(value)?.length).toBeLessThan((value?.length ?? 0) / 4);
    await ingestor.ingest(batch([{ offset: 0, key: Buffer.from(ID), value }]));
    const { body } = await ingestor.call('GET', '/drift/v1/parkerte/1');
    expect(body.melding).toContain('"startDato": "x"');
    expect(await ingestor.owner.query('select avtaler, length(verdi) < 500 as packed from parkert_melding')).toEqual([
      { avtaler: [ID], packed: true },
    ]);
  });

  test('are kept of so many with a reason, and of no large one; the others go with their avtale too', async () => {
    const writer = new Writer(ingestor.pool, deltakerId, false, 3);
    const noise = Array.from({ length: 60_000 }, () => Math.random().toString(36).slice(2, 4)).join('');
    await ingestBatch(writer, batch([...[0, 1, 2, 3].map((n) => bad(n)), message(4, { startDato: noise })]));
    await ingestBatch(writer, batch([bad(5), { offset: 6, key: Buffer.from(avtaleId(6)), value: Buffer.from('{') }]));
    const kept = await ingestor.owner.query(
      `select array_agg(kafka_offset::int order by kafka_offset) filter (where not utelatt) as here,
         array_agg(kafka_offset::int order by kafka_offset) filter (where utelatt) as there from parkert_melding`,
    );
    expect(kept).toEqual([{ here: [0, 1, 2, 6], there: [3, 4, 5] }]);
    await new ParkedRetention(ingestor.pool).round();
    expect((await metrics.parkedLeftOut.get()).values[0]?.value).toBe(3);
    const { body } = await ingestor.call('GET', '/drift/v1/parkerte?antall=4');
    expect(body.parkerte[3]).toMatchObject({ innholdUtelatt: true, felt: 'startDato' });
    await ingestBatch(writer, batch([{ offset: 7, key: Buffer.from(avtaleId(3)), value: null }]));
    const rows = await ingestor.owner.query(
      'select tilstand, nokkel, verdi from parkert_melding where kafka_offset = 3',
    );
    expect(rows).toEqual([{ tilstand: 'FORKASTET', nokkel: null, verdi: null }]);
  });

  test('are counted with their key, of a tombstone too: one that is large is left on the topic', async () => {
    const writer = new Writer(ingestor.pool, deltakerId, false, 2);
    const keys = ['x'.repeat(70_000), 'y'.repeat(1_000), 'short', 'z'.repeat(1_000), 'brief'];
    await ingestBatch(writer, batch(keys.map((key, offset) => ({ offset, key: Buffer.from(key), value: null }))));
    expect(
      await ingestor.owner.query(
        'select kafka_offset::int as n, utelatt, octet_length(nokkel) as key from parkert_melding order by 1',
      ),
    ).toEqual([
      { n: 0, utelatt: true, key: null },
      { n: 1, utelatt: false, key: 1_000 },
      { n: 2, utelatt: false, key: 5 },
      { n: 3, utelatt: true, key: null },
      { n: 4, utelatt: false, key: 5 },
    ]);
  });

  test('that were left on the topic are read from there, alone and with all others', async () => {
    const count = 6;
    const messages = Array.from({ length: count }, (_, n) => message(n, { avtaleId: avtaleId(n), avtaleNr: n }));
    await topic.publish(messages.map(({ key, value }) => ({ key, value })));
    await waitUntil(async () => (await ingestor.dump()).avtale.length === count, { what: 'the avtaler to be stored' });
    await ingestor.owner.query('truncate avtale, avtale_versjon, endring');
    for (const { offset, key, value } of messages) {
      await ingestor.owner.query(
        `insert into parkert_melding (topic, epoke, partisjon, kafka_offset, nokkel, verdi, utelatt, avtrykk, kode, aarsak)
         select topic, epoke, 0, $2, $3, '\\x00', true, $4, 'AVVIST_AV_DATABASEN', 'then' from topic_epoke where topic = $1`,
        [topic.topic, offset, key, offset === 5 ? Buffer.alloc(32) : fingerprintOf({ key, value })],
      );
    }
    expect((await ingestor.call('POST', '/drift/v1/parkerte/1/spill-av')).body).toEqual({ utfall: 'TATT_INN' });
    // Another message lies there by now.
    expect(await ingestor.call('POST', '/drift/v1/parkerte/6/spill-av')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('does not have it any more') },
    });
    await start({ handling: 'SPILL_AV', kode: 'AVVIST_AV_DATABASEN' });
    await finish();
    expect(await progress()).toMatchObject({ tilstand: 'FERDIG', antall: 5, utfoert: 4, fortsattParkert: 0 });
    expect((await ingestor.dump()).avtale.map((row) => row['avtale_nr'])).toEqual([0, 1, 2, 3, 4]);

    // A rebuild that can use one that waits is done with it; another message at the same place is none of that.
    await ingestor.owner.query(
      `update parkert_melding set tilstand = 'PARKERT', behandlet_av = null, innhold_fjernet_aarsak = 'FRIST'
       where kafka_offset = 2`,
    );
    const rebuild = ingestor.ingestor.rebuilds.of('avtaler');
    expect((await ingestor.call('POST', '/drift/v1/gjenoppbygging')).status).toBe(204);
    rebuild.start();
    const state = async (): Promise<unknown> => (await ingestor.call('GET', '/drift/v1/gjenoppbygging')).body.tilstand;
    await waitUntil(async () => (await state()) === 'FERDIG', { what: 'the rebuild', maxMs: 60_000 });
    await rebuild.stop();
    expect((await ingestor.dump()).parkert_melding.slice(2)).toMatchObject([
      { kafka_offset: 2, tilstand: 'SPILT_AV', behandlet_av: ON_DUTY_NAV_IDENT, innhold_fjernet_aarsak: 'FRIST' },
      {},
      {},
      { kafka_offset: 5, tilstand: 'PARKERT' },
    ]);
  }, 120_000);
});

describe('one action on all with a reason', () => {
  test('discards them, piece by piece, and none that is parked later', async () => {
    await ingestor.ingest(batch(Array.from({ length: 2_500 }, (_, n) => bad(n))));
    await ingestor.ingest(batch([bad(2_500, 'sluttDato')]));
    const { status, body } = await start({ handling: 'FORKAST', felt: 'startDato', begrunnelse: 'FEIL_HOS_KILDEN' });
    expect([status, body]).toEqual([202, expect.objectContaining({ tilstand: 'KJORER', antall: 2_500, utfoert: 0 })]);
    expect((await start({ handling: 'SPILL_AV', alle: true })).status).toBe(409);
    await ingestor.ingest(batch([bad(2_501)]));
    await finish();
    expect(await progress()).toMatchObject({ tilstand: 'FERDIG', utfoert: 2_500, startetAv: ON_DUTY_NAV_IDENT });
    expect(await states()).toEqual([
      { tilstand: 'FORKASTET', felt: 'startDato', count: 2_500 },
      { tilstand: 'PARKERT', felt: 'sluttDato', count: 1 },
      { tilstand: 'PARKERT', felt: 'startDato', count: 1 },
    ]);
    expect(await actions()).toMatchObject([{ handling: 'FORKAST_SAMLET', gjelder: 'startDato', antall: 2_500 }]);
  });

  test('replays them, goes past those still bad, and tells how many of each', async () => {
    await parkGood(250);
    await ingestor.ingest(batch([bad(1_000), bad(1_001)], 0));
    await start({ handling: 'SPILL_AV', alle: true });
    await finish();
    expect(await progress()).toMatchObject({ tilstand: 'FERDIG', antall: 252, utfoert: 250, fortsattParkert: 2 });
    expect((await ingestor.dump()).avtale).toHaveLength(250);
  });

  test('of another resource they come to what the messages say, in whatever order they were parked, and those of a topic that is off wait', async () => {
    // More than two pieces hold, each of which has some from all over the topic.
    const count = 250;
    const all = fc.sample(said, { numRuns: count, seed: 7 });
    const messages = all.map((one, offset) => raw(one, offset));
    const broken = { offset: all.length, key: Buffer.from(nr(1)), value: Buffer.from('{'), writtenAt: 0 };
    const park = async (own: string, { offset, key, value, writtenAt = 0 }: RawMessage): Promise<unknown> =>
      ingestor.owner.query(
        `insert into parkert_melding (topic, partisjon, kafka_offset, nokkel, verdi, avtrykk, kode, aarsak, skrevet)
         values ($1, 0, $2, $3, $4, $5, 'UGYLDIG_FELT', 'was not understood then', $6)`,
        [own, offset, key, value, fingerprintOf({ key, value }), new Date(writtenAt)],
      );
    await ingestor.owner.query(
      `insert into ressurs_status (topic, partisjon, slutt_offset, ressurs) values ('off', 0, 0, 'kontorer')`,
    );
    await park('off', broken);
    const [shuffled = []] = fc.sample(fc.shuffledSubarray(messages, { minLength: count }), { numRuns: 1, seed: 7 });
    for (const one of [...shuffled, broken]) await park(units.topic, one);
    await start({ handling: 'SPILL_AV', alle: true });
    await finish();
    expect(await progress()).toMatchObject({ tilstand: 'FERDIG', antall: count + 2, fortsattParkert: 1 });
    const stored = await ingestor.owner.query(
      `select organisasjonsnummer as nr, overordnet_enhet as above, hovedenhet as top, slettet is not null as gone
       from virksomhet order by 1`,
    );
    expect(stored).toEqual(expectedVirksomheter(all));
    expect(await states()).toMatchObject([
      { tilstand: 'PARKERT', count: 2 },
      { tilstand: 'SPILT_AV', count },
    ]);
    expect(await ingestor.call('POST', '/drift/v1/parkerte/1/spill-av')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('does not read off now') },
    });
    // When it came, and not since.
    expect(await ingestor.owner.query('select forsok from parkert_melding where id = 1')).toEqual([{ forsok: 1 }]);
  });

  test('takes as few at once as fit in memory when they are unpacked, one at least, and a whole batch without its bytes', async () => {
    const large = { startDato: 'x', oppfolging: 'a'.repeat(1_000_000) };
    await ingestor.ingest(batch([0, 1, 2].map((n) => message(n, { ...large, avtaleId: avtaleId(n) }))));
    await ingestor.owner.query(`update parkert_melding set kode = 'UDEKODBAR' where kafka_offset = 0`);
    const sizes = async (bytes: number, after = '0'): Promise<unknown> => {
      const most = { count: 100, bytes };
      const rows = await readWaiting(ingestor.pool, { until: '3' }, after, most);
      return rows.map(({ verdi }) => (verdi === null ? null : verdi.length > 1_000_000));
    };
    expect(await sizes(10_000_000)).toEqual([null, true, true]);
    expect(await sizes(1_500_000)).toEqual([null, true]);
    expect(await sizes(1_000, '1')).toEqual([true]);
    expect(await sizes(1_000, '3')).toEqual([]);
  });

  test('spares what the tombstone of a full sync spares, when it is replayed', async () => {
    await ingestor.owner.query(
      `alter table avtale add constraint nei check (slettet is null or avtale_id not in ('${ID}', '${avtaleId(1)}'))`,
    );
    await ingestor.ingest(batch([message(0, {}), message(1, { avtaleId: avtaleId(1) })]));
    const tombstones = [ID, avtaleId(1)].map((id, n) => ({
      key: Buffer.from(id),
      value: null,
      offset: 2 + n,
      deleteBefore: 1,
    }));
    await ingestor.ingest(batch(tombstones));
    await ingestor.owner.query('alter table avtale drop constraint nei');
    await start({ handling: 'SPILL_AV', alle: true });
    await finish();
    expect((await ingestor.dump()).avtale.map((row) => row['slettet'])).toEqual(['GRAVSTEIN', null]);
  });

  test('that is broken off goes on in another process, and happens once', async () => {
    await parkGood(350);
    await start({ handling: 'SPILL_AV', alle: true });
    const ending = new AbortController();
    const first = finish(ending.signal);
    await waitUntil(async () => Number((await progress())['utfoert']) > 0, { what: 'some to be replayed' });
    ending.abort();
    await first;
    expect(await progress()).toMatchObject({ tilstand: 'KJORER' });
    await ingestor.owner.query(`update parkert_handling set fornyet = now() - interval '1 minute'`);
    const { pool, parkedReplay, giveWay } = ingestor.ingestor;
    await new ParkedBulk(pool, parkedReplay, giveWay).work(new AbortController().signal);
    expect(await progress()).toMatchObject({ tilstand: 'FERDIG', antall: 350, utfoert: 350 });
    expect((await ingestor.dump()).avtale_versjon).toHaveLength(350);
  });

  test('that is broken off before it is noted how far it has come counts once what still can not be used', async () => {
    await parkGood(3);
    await ingestor.ingest(batch([bad(1_000), bad(1_001)], 0));
    await start({ handling: 'SPILL_AV', alle: true });
    const undone = `update parkert_handling set siste_id = 0, tilstand = 'KJORER', avsluttet = null, arbeider = null`;
    await finish();
    // As a kill leaves it, or a part of the piece that fails.
    await ingestor.owner.query(undone);
    const { pool, parkedReplay, giveWay } = ingestor.ingestor;
    await new ParkedBulk(pool, parkedReplay, giveWay).work(new AbortController().signal);
    expect(await progress()).toMatchObject({ tilstand: 'FERDIG', antall: 5, utfoert: 3, fortsattParkert: 2 });
    const tried = await ingestor.owner.query(`select forsok from parkert_melding where tilstand = 'PARKERT'`);
    expect(tried).toEqual([{ forsok: 2 }, { forsok: 2 }]);
    // Another action tries them anew.
    await start({ handling: 'SPILL_AV', alle: true });
    await finish();
    expect(await progress()).toMatchObject({ tilstand: 'FERDIG', antall: 2, utfoert: 0, fortsattParkert: 2 });
  });

  test('counts once what still can not be used of what lies on the topic only, when it is read once more', async () => {
    const { key, value } = bad(0);
    await topic.publish([{ key, value }]);
    const parked = (): Promise<unknown[]> => ingestor.owner.query('select forsok from parkert_melding');
    await waitUntil(async () => (await parked()).length === 1, { what: 'it to be parked' });
    await ingestor.owner.query(`update parkert_melding set utelatt = true, verdi = '\\x00'`);
    await start({ handling: 'SPILL_AV', alle: true });
    await finish();
    await ingestor.owner.query(`update parkert_handling set tilstand = 'KJORER', avsluttet = null, arbeider = null`);
    await finish();
    expect(await progress()).toMatchObject({ tilstand: 'FERDIG', antall: 1, utfoert: 0, fortsattParkert: 1 });
    expect(await parked()).toEqual([{ forsok: 2 }]);
  });

  test('stays with its process, however long a piece takes', async () => {
    await parkGood(1);
    await start({ handling: 'SPILL_AV', alle: true });
    const { pool, parkedReplay, giveWay } = ingestor.ingestor;
    const other = await pool.connect();
    let working: Promise<void> | undefined;
    try {
      await other.query('begin');
      await other.query('select from parkert_melding for update');
      working = new ParkedBulk(pool, parkedReplay, giveWay, 10).work(new AbortController().signal);
      const renewed = async (since: string): Promise<boolean> => {
        const rows = await ingestor.owner.query<unknown[]>(
          `select from parkert_handling where arbeider is not null and fornyet > ${since}`,
        );
        return rows.length === 1;
      };
      await waitUntil(() => renewed(`'-infinity'`), { what: 'it to be begun' });
      await ingestor.owner.query(`update parkert_handling set fornyet = now() - interval '1 minute'`);
      await waitUntil(() => renewed(`now() - interval '30 seconds'`), { what: 'it to be renewed' });
    } finally {
      await other.query('rollback');
      other.release();
      await working;
    }
    expect(await progress()).toMatchObject({ tilstand: 'FERDIG', utfoert: 1 });
  });

  test('that somebody stops tells how far it had come', async () => {
    await ingestor.ingest(batch([bad(0)]));
    await start({ handling: 'FORKAST', alle: true, begrunnelse: 'ANNET' });
    expect((await ingestor.call('POST', '/drift/v1/parkerte/samlet/stopp')).status).toBe(204);
    await finish();
    expect(await progress()).toMatchObject({ tilstand: 'STOPPET', utfoert: 0 });
    expect((await ingestor.call('POST', '/drift/v1/parkerte/samlet/stopp')).status).toBe(409);
    expect(await actions()).toMatchObject([{ handling: 'STOPP_SAMLET' }, { handling: 'FORKAST_SAMLET', antall: 0 }]);
  });

  test('that the database refuses too much of ends, and says why and how far it had come', async () => {
    await parkGood(200);
    await ingestor.owner.query('alter table avtale add constraint nei check (avtale_nr < 150)');
    try {
      await start({ handling: 'SPILL_AV', alle: true });
      await finish();
    } finally {
      await ingestor.owner.query('alter table avtale drop constraint nei');
    }
    expect(await progress()).toMatchObject({
      ...{ tilstand: 'FEILET', antall: 200, utfoert: 100 },
      aarsak: expect.stringContaining('SQLSTATE 23514'),
    });
    expect(await states()).toMatchObject([
      { tilstand: 'PARKERT', count: 100 },
      { tilstand: 'SPILT_AV', count: 100 },
    ]);
  });

  test.each([
    [{ handling: 'SPILL_AV' }, 'alle'],
    [{ handling: 'FORKAST', alle: true }, 'begrunnelse'],
    [{ handling: 'SPILL_AV', alle: true, begrunnelse: 'ANNET' }, 'begrunnelse'],
    [{ handling: 'SLETT', alle: true }, 'handling'],
  ])('%j is refused', async (body, field) => {
    expect(await start(body)).toMatchObject({ status: 400, body: { feil: [{ felt: field }] } });
  });
});
