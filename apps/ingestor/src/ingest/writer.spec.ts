import { FIELDS } from '@tiltak/avtale';
import { expected, createEvents, type ExpectedLife } from '@tiltak/simulator';
import {
  batch,
  deltakerId,
  ID,
  message,
  PARTITION,
  startTestIngest,
  TOPIC,
  type TestIngest,
} from '../testing/test-ingest.ts';
import { metrics } from '../metrics.ts';
import { ingestBatch, UnknownPositionError } from './ingest-batch.ts';
import { SystematicRefusalError } from './refused.ts';
import { FormerIdents } from './former-idents.job.ts';
import { Writer } from './writer.ts';

let setup: TestIngest;
let ingest: TestIngest['ingest'];
let pool: TestIngest['pool'];
let owner: TestIngest['owner'];
let dump: TestIngest['dump'];

beforeAll(async () => {
  setup = await startTestIngest();
  ({ ingest, pool, owner, dump } = setup);
});
afterAll(() => setup.stop());
beforeEach(() => setup.empty());

const count = async (table: string): Promise<number> =>
  Number((await pool.query<{ n: string }>(`select count(*) as n from ${table}`)).rows[0]?.n);

describe('a batch', () => {
  test('is stored, with its history, its changes and the position after it', async () => {
    const ingested = await ingest(
      batch(
        [
          message(3, {
            bedriftNavn: 'tab\tnewline\nbackslash\\ \\N',
            avtaleNr: 7,
            stillingprosent: 33.3,
            deltakerFnr: '1',
          }),
          message(5, { sistEndret: '2026-01-01T00:00:00.0000006Z', avtaleInngått: '2025-10-26T02:30:00.1234567' }),
        ],
        0,
      ),
    );
    expect(ingested.nextOffset).toBe(6);
    const { avtale, avtale_versjon, endring: change, konsum_offset } = await dump();
    expect(avtale).toMatchObject([
      {
        avtale_id: ID,
        avtale_nr: null,
        sist_endret: '2026-01-01T00:00:00.000001+00:00',
        kilde_offset: 5,
        deltaker_id: null,
        avtale_inngaatt: '2025-10-26T00:30:00.123457+00:00',
      },
    ]);
    expect(avtale_versjon).toMatchObject([
      {
        bedrift_navn: 'tab\tnewline\nbackslash\\ \\N',
        avtale_nr: 7,
        stillingprosent: 33.3,
        deltaker_id: deltakerId('1'),
      },
      { bedrift_navn: null },
    ]);
    expect(change).toEqual([
      [ID, 'ENDRET', null],
      [ID, 'ENDRET', null],
    ]);
    expect(konsum_offset).toEqual([{ topic: TOPIC, epoke: 0, partisjon: PARTITION, neste_offset: 6 }]);
  });

  test('given twice changes nothing, and a later part of it only what is new', async () => {
    const messages = [message(0, { avtaleNr: 1 }), message(1, { avtaleNr: 2 })];
    await ingest(batch(messages.slice(0, 1)));
    await ingest(batch(messages));
    const before = await dump();
    expect((await ingest(batch(messages))).alreadyProcessed).toBe(2);
    expect(await dump()).toEqual(before);
    expect(before['avtale_versjon']).toHaveLength(2);
  });

  test('read from beyond the stored position is not stored: it is looked at first what the topic holds', async () => {
    await expect(ingest(batch([message(9, {})]))).rejects.toBeInstanceOf(UnknownPositionError);
    expect(await count('avtale')).toBe(0);
  });

  test('of a topic that ends before the stored position says that the position is unknown', async () => {
    await pool.query('update konsum_offset set neste_offset = 100');
    await expect(ingest(batch([message(0, {})]))).rejects.toBeInstanceOf(UnknownPositionError);
  });

  test('with messages that can not be used parks those, with the bytes, and stores the others', async () => {
    const raw = Buffer.from([0xff, 0xfe]);
    await ingest(
      batch([
        message(0, { avtaleNr: 1 }),
        { offset: 1, key: null, value: raw },
        message(2, { startDato: 'i går' }),
        message(3, { avtaleNr: 2 }),
      ]),
    );
    const { avtale, parkert_melding } = await dump();
    expect(avtale).toMatchObject([{ avtale_nr: 2 }]);
    expect(parkert_melding).toMatchObject([
      { kafka_offset: 1, kode: 'IKKE_UTF8', felt: null, nokkel: null, verdi: '\\xfffe', tilstand: 'PARKERT' },
      { kafka_offset: 2, kode: 'UGYLDIG_FELT', felt: 'startDato' },
    ]);
  });

  test('with a change from more than a day after its record parks it: it would stand in the way of all that come', async () => {
    const writtenAt = Date.parse('2026-03-01T12:00:00Z');
    const sistEndret = ['2026-03-02T12:00:00.000001Z', '2026-03-02T12:00:00Z', '2026-03-01T12:00:00Z'];
    await ingest(
      batch([
        ...sistEndret.map((time, offset) => ({
          ...message(offset, { sistEndret: time, avtaleNr: offset }),
          writtenAt,
        })),
        { ...message(3, { sistEndret: '9000-01-01T00:00:00Z', slettemerket: true }), writtenAt },
      ]),
    );
    const { avtale, parkert_melding } = await dump();
    expect(avtale).toMatchObject([{ avtale_nr: 1 }]);
    const why = { kode: 'FREMTIDIG', felt: 'sistEndret', skrevet: '2026-03-01T12:00:00+00:00' };
    expect(parkert_melding).toMatchObject([
      { kafka_offset: 0, ...why },
      { kafka_offset: 3, ...why },
    ]);
  });

  test('with rows that the database refuses parks exactly those', async () => {
    await owner.query(`alter table avtale_versjon add constraint ikke_sju check (avtale_nr % 7 <> 0)`);
    try {
      const messages = Array.from({ length: 50 }, (_, offset) =>
        message(offset, {
          avtaleId: ID.slice(0, -2) + String(10 + (offset % 9)),
          avtaleNr: offset,
          sistEndret: `2026-01-01T00:00:${String(10 + offset)}Z`,
        }),
      );
      const ingested = await ingest(batch(messages));
      expect(ingested.parked.map(({ position }) => position.offset)).toEqual([0, 7, 14, 21, 28, 35, 42, 49]);
      const { parkert_melding, avtale_versjon } = await dump();
      expect(parkert_melding).toHaveLength(8);
      expect(parkert_melding?.[0]).toMatchObject({
        kode: 'AVVIST_AV_DATABASEN',
        aarsak: 'the database refuses the row: SQLSTATE 23514, ikke_sju',
      });
      expect(avtale_versjon).toHaveLength(42);
    } finally {
      await owner.query('alter table avtale_versjon drop constraint ikke_sju');
    }
  });

  test('of which the database refuses too much waits, with nothing stored and nothing parked', async () => {
    const messages = Array.from({ length: 60 }, (_, offset) =>
      message(offset, { avtaleId: ID.slice(0, -2) + String(10 + offset), avtaleNr: offset }),
    );
    await owner.query('alter table avtale add constraint for_trang check (avtale_nr < 39)');
    try {
      await expect(ingest(batch(messages))).rejects.toBeInstanceOf(SystematicRefusalError);
      expect([await count('avtale'), await count('parkert_melding')]).toEqual([0, 0]);
    } finally {
      await owner.query('alter table avtale drop constraint for_trang');
    }
    await owner.query('alter table avtale add constraint for_trang check (avtale_nr < 40)');
    try {
      expect((await ingest(batch(messages))).parked).toHaveLength(20);
      expect([await count('avtale'), await count('parkert_melding')]).toEqual([40, 20]);
    } finally {
      await owner.query('alter table avtale drop constraint for_trang');
    }
  });

  describe('that is answered with one SQLSTATE again and again', () => {
    const BAD = 13;
    /** Raises that for rows of `table` that are as `when` says. */
    const refuse = (table: string, code: string, when: string): Promise<unknown> =>
      owner.query(
        `create function nei() returns trigger language plpgsql as $$ begin
           if ${when} then raise exception using errcode = '${code}'; end if; return new; end $$;
         create trigger nei before insert or update on ${table} for each row execute function nei()`,
      );
    const messages = Array.from({ length: 30 }, (_, offset) => {
      const avtaleId = ID.slice(0, -2) + String(10 + (offset % 15));
      const fields = { avtaleNr: offset, startDato: '2026-01-01', avtaleInngått: '2026-01-01T12:00:00' };
      return message(offset, {
        ...{ avtaleId, ...fields, avtaleStatus: 'GJENNOMFØRES', deltakerFnr: String(offset % 3) },
        sistEndret: `2026-01-01T00:00:${String(10 + offset)}Z`,
      });
    });
    /** The outcome of as many attempts; each is what the stream would do. */
    const attempts = async (count: number, of = messages): Promise<string[]> => {
      const outcomes = [];
      for (let i = 0; i < count; i++) {
        outcomes.push(
          await ingest(batch(of)).then(
            ({ parked }) => `parked ${String(parked.length)}`,
            () => 'waits',
          ),
        );
      }
      return outcomes;
    };
    const alarmed = async (): Promise<number> =>
      (await metrics.systematicallyRefused.get()).values.reduce((sum, { value }) => sum + value, 0);
    const parkedOffsets = async (): Promise<unknown[]> =>
      (await dump()).parkert_melding.map((row) => [row['kafka_offset'], row['kode']]);
    afterEach(() => owner.query('drop function if exists nei() cascade'));

    test.each([
      ['avtale', 'XX000', `new.avtale_id = '${ID.slice(0, -2)}${String(10 + BAD)}'`],
      ['avtale_versjon', '0A000', `new.avtale_nr = ${String(BAD)}`],
      ['avtale_versjon', '42501', `new.avtale_nr = ${String(BAD)}`],
      ['endring', '42883', `new.avtale_id = '${ID.slice(0, -2)}${String(10 + BAD)}'`],
      ['relasjon', '42P01', `new.fra = '${ID.slice(0, -2)}${String(10 + BAD)}'`],
    ])(
      'for what one message does to %s (%s): in the end that one is parked, and no other',
      async (table, code, when) => {
        await refuse(table, code, when);
        expect(await attempts(7)).toEqual([...Array<string>(6).fill('waits'), expect.stringMatching(/^parked [12]$/)]);
        const parked = (await dump()).parkert_melding.map((row) => Number(row['kafka_offset']) % 15);
        expect(new Set(parked)).toEqual(new Set([BAD]));
        expect(await count('avtale')).toBe(when.includes('avtale_nr') ? 15 : 14);
      },
    );

    test('and has one message only: ordinary ones tell that it is its fault', async () => {
      await refuse('avtale', 'XX000', `new.avtale_nr = ${String(BAD)}`);
      expect(await attempts(7, [message(0, { avtaleNr: BAD })])).toEqual([
        ...Array<string>(6).fill('waits'),
        'parked 1',
      ]);
    });

    test.each([
      ['revoke insert on endring from datadeling_skriver', 'grant insert on endring to datadeling_skriver'],
      ['revoke update on avtale from datadeling_skriver', 'grant update on avtale to datadeling_skriver'],
      [
        'revoke delete on avtale_versjon from datadeling_skriver',
        'grant delete on avtale_versjon to datadeling_skriver',
      ],
      ['alter table relasjon rename to borte', 'alter table borte rename to relasjon'],
      ['alter table endring add constraint nei check (false) not valid', 'alter table endring drop constraint nei'],
    ])('by a fault of ours parks nothing: %s', async (spoil, mend) => {
      const before = await alarmed();
      const changed = message(0, { avtaleNr: 1, deltakerFnr: '1', startDato: '2026-01-01' });
      await ingest(batch([changed, message(1, { avtaleId: messages[1]?.key?.toString(), deltakerFnr: '1' })]));
      const one = [
        message(2, { avtaleNr: 2, sistEndret: '2026-02-01T00:00:00Z', slettemerket: true, deltakerFnr: '1' }),
        ...messages.slice(3, 5),
      ];
      await owner.query(spoil);
      try {
        expect(new Set(await attempts(9, one))).toEqual(new Set(['waits']));
      } finally {
        await owner.query(mend);
      }
      expect(await parkedOffsets()).toEqual([]);
      expect(await alarmed()).toBeGreaterThan(before);
      expect(await attempts(1, one)).toEqual(['parked 0']);
    });

    test.each<[string, number]>([
      ...['53100', '53300', '40001', '40P01', '55P03', '57014', '57P03', '25006'].map((code): [string, number] => [
        code,
        0,
      ]),
      ['57D01', 4],
    ])(
      'that passes by waiting (%s) parks nothing, however long it takes, and alarms %d times',
      async (code, alarms) => {
        const before = await alarmed();
        await refuse('avtale_versjon', code, `new.avtale_nr = ${String(BAD)}`);
        expect(new Set(await attempts(9))).toEqual(new Set(['waits']));
        expect(await parkedOffsets()).toEqual([]);
        expect((await alarmed()) - before).toBe(alarms);
      },
    );
  });

  test('with texts as long as the contract allows fits in every index', async () => {
    const random = (length: number): string =>
      Array.from({ length }, () => String.fromCodePoint(0x20000 + Math.floor(Math.random() * 40_000))).join('');
    const long = Object.fromEntries(
      Object.values(FIELDS).flatMap(({ source, maxLength }) => (maxLength ? [[source, random(maxLength)]] : [])),
    );
    await ingest(
      batch([message(0, long), message(1, { ...long, feilregistrert: true, sistEndret: '2026-01-02T00:00:00Z' })]),
    );
    const { avtale, avtale_versjon, parkert_melding } = await dump();
    expect([avtale.length, avtale_versjon.length, parkert_melding.length]).toEqual([1, 2, 0]);
  });

  test('with texts that no index could hold parks those, and no other', async () => {
    const messages = ['deltakerFnr', 'bedriftNr', 'tiltakstype', 'avtaleStatus'].map((field, offset) =>
      message(offset, { avtaleId: ID.slice(0, -1) + String(offset), [field]: 'x'.repeat(2_693) }),
    );
    await ingest(batch([...messages, message(4, { avtaleNr: 4 })]));
    const { avtale, parkert_melding } = await dump();
    expect(avtale).toMatchObject([{ avtale_nr: 4 }]);
    expect(parkert_melding.map((row) => row['felt'])).toEqual([
      'deltakerFnr',
      'bedriftNr',
      'tiltakstype',
      'avtaleStatus',
    ]);
  });

  test('that the database can not take now has no effect at all', async () => {
    await owner.query('revoke insert on endring from datadeling_skriver');
    try {
      await expect(ingest(batch([message(0, {}), message(1, { startDato: 'x' })]))).rejects.toThrow();
      expect([await count('avtale'), await count('parkert_melding')]).toEqual([0, 0]);
    } finally {
      await owner.query('grant insert on endring to datadeling_skriver');
    }
    await ingest(batch([message(0, {}), message(1, { startDato: 'x' })]));
    expect([await count('avtale'), await count('parkert_melding')]).toEqual([1, 1]);
  });
});

test('deleting erases content and history, and leaves a marker', async () => {
  await ingest(batch([message(0, { deltakerFnr: '1', bedriftNavn: 'Spor' })]));
  await ingest(batch([{ offset: 1, key: Buffer.from(ID), value: null }]));
  const { avtale, avtale_versjon, endring: change } = await dump();
  expect(avtale).toMatchObject([
    {
      avtale_id: ID,
      slettet: 'GRAVSTEIN',
      sist_endret: '2026-01-01T00:00:00+00:00',
      deltaker_fnr: null,
      deltaker_id: null,
      bedrift_navn: null,
    },
  ]);
  expect(avtale_versjon).toEqual([]);
  expect(change).toEqual([
    [ID, 'ENDRET', null],
    [ID, 'SLETTET', 'SLETTET'],
  ]);
});

describe('the bytes of parked messages', () => {
  const OTHER = ID.replace(/1$/, '2');
  const bad = (offset: number, avtaleId = ID): ReturnType<typeof message> =>
    message(offset, { avtaleId, startDato: 'x' });
  const tombstone = (offset: number): ReturnType<typeof message> => ({ offset, key: Buffer.from(ID), value: null });
  const deleted = (offset: number): ReturnType<typeof message> =>
    message(offset, { slettemerket: true, sistEndret: '2026-02-01T00:00:00Z' });
  const bytes = async (): Promise<unknown[]> =>
    (await dump()).parkert_melding.map((row) => [row['kafka_offset'], row['tilstand'], row['verdi'] !== null]);

  test.each([
    ['a tombstone', tombstone],
    ['slettemerket', deleted],
  ])('go with the avtale that they name, by %s, and not those after it or of others', async (_, remove) => {
    const messages = [
      bad(0),
      message(1, {}),
      // By key alone, by content alone, and by neither way that can be read.
      { offset: 2, key: Buffer.from(ID), value: Buffer.from('{') },
      { offset: 3, key: null, value: Buffer.from(`{"avtaleId" : "${ID}"}`) },
      { offset: 4, key: Buffer.from([0xff]), value: Buffer.from(`{"avtaleId":"${ID.toUpperCase()}","navn":"\u00ff`) },
      bad(5, OTHER),
      remove(6),
      bad(7),
    ];
    const gone = ['FORKASTET', false] as const;
    const kept = ['PARKERT', true] as const;
    const wanted = [
      [0, ...gone],
      [2, ...gone],
      [3, ...gone],
      [4, ...gone],
      [5, ...kept],
      [7, ...kept],
    ];
    await ingest(batch(messages));
    expect(await bytes()).toEqual(wanted);
    const once = await dump();
    await pool.query('update konsum_offset set neste_offset = 0');
    await ingest(batch(messages));
    expect(await dump()).toEqual(once);

    await setup.empty();
    for (const one of messages) await ingest(batch([one]));
    expect(await dump()).toEqual(once);
  });

  test('go with a full sync only as far as it deletes, and none of another partition', async () => {
    await ingest(batch([bad(0), message(1, {}), bad(2), bad(7)]));
    await owner.query('update parkert_melding set partisjon = 1, skrevet = null where kafka_offset = 2');
    await ingest(batch([{ ...tombstone(10), deleteBefore: 5 }], 8));
    const wanted = [
      [0, 'FORKASTET', false],
      [2, 'PARKERT', true],
      [7, 'PARKERT', true],
    ];
    expect((await dump()).avtale).toMatchObject([{ slettet: 'GRAVSTEIN', kilde_slett_foer: 5 }]);
    expect(await bytes()).toEqual(wanted);
    await pool.query('select rydd_parkerte()');
    expect(await bytes()).toEqual(wanted);
    await ingest(batch([message(11, { sistEndret: '2026-03-01T00:00:00Z' }), tombstone(12)]));
    expect((await bytes())[2]).toEqual([7, 'FORKASTET', false]);
  });

  test('go at once when the deletion was on a partition that was read before', async () => {
    const written = (day: string): { writtenAt: number } => ({ writtenAt: Date.parse(day) });
    await ingest(batch([message(0, {}), { ...tombstone(1), ...written('2026-06-01') }]));
    await owner.query('insert into konsum_offset values ($1, 1, 0) on conflict do nothing', [TOPIC]);
    const parked = [
      { ...bad(0), ...written('2026-05-31') },
      { ...bad(1), ...written('2026-06-02') },
    ];
    await ingest({ ...batch(parked), partition: 1 });
    expect(await bytes()).toEqual([
      [0, 'FORKASTET', false],
      [1, 'PARKERT', true],
    ]);
  });

  test('go also when the avtale comes back in the same batch', async () => {
    await ingest(batch([bad(0), message(1, {}), tombstone(2), message(3, { sistEndret: '2026-03-01T00:00:00Z' })]));
    expect(await bytes()).toEqual([[0, 'FORKASTET', false]]);
  });
});

describe('an ident that the source corrects', () => {
  const [A, B, C] = ['1', '2', '3'];
  const at = (offset: number, deltakerFnr: string | null | undefined, more = {}): ReturnType<typeof message> =>
    message(offset, { deltakerFnr, sistEndret: `2026-01-01T00:00:${String(10 + offset)}Z`, avtaleNr: offset, ...more });
  const history = async (): Promise<unknown[]> => (await dump()).avtale_versjon.map((row) => row['deltaker_fnr']);

  test('leaves the history, and no fingerprint of it is left to try idents against', async () => {
    await ingest(batch([at(0, A), at(1, A)]));
    await ingest(batch([at(2, B)]));
    const { avtale, avtale_versjon } = await dump();
    expect([avtale, avtale_versjon].map((rows) => rows.map((row) => row['deltaker_fnr']))).toEqual([[B], [B, B, B]]);
    expect(avtale_versjon).toMatchObject([0, 1, 2].map((nr) => ({ avtale_nr: nr, deltaker_id: deltakerId('2') })));
    const { rows } = await pool.query<{ text: string }>('select v::text as text from avtale_versjon v');
    expect(JSON.stringify(rows)).not.toContain(deltakerId('1'));
    expect(avtale_versjon.map((row) => row['avtrykk'])).toEqual([null, null, null]);
  });

  test.each([
    ['again', [A, B, C]],
    ['back', [A, B, A]],
    ['after it was withdrawn', [A, null, B]],
    ['and withdraws', [A, B, null]],
  ])('%s: the tables are the same whatever the batches, and when all is played again', async (_, idents) => {
    const messages = [...idents.map((ident, offset) => at(offset, ident)), at(3, null, { feilregistrert: true })];
    await ingest(batch(messages));
    const whole = await dump();
    expect(new Set(await history())).toEqual(new Set([idents.findLast((ident) => ident !== null), null]));
    await pool.query('update konsum_offset set neste_offset = 0');
    await ingest(batch(messages));
    expect(await dump()).toEqual(whole);

    await setup.empty();
    for (const one of messages) await ingest(batch([one]));
    expect(await dump()).toEqual(whole);
  });

  test('stays where the organisation keeps it, until it does not any more', async () => {
    const keeping = new Writer(pool, deltakerId, true);
    for (const one of [at(0, A), at(1, B)]) await ingestBatch(keeping, batch([one]));
    await new FormerIdents(keeping).forget();
    expect(await history()).toEqual([A, B]);
    await new FormerIdents(setup.writer).forget();
    expect(await history()).toEqual([B, B]);
    expect(await setup.writer.forgetFormerIdents(ID, 1)).toBeUndefined();
  });

  test('is looked for in all histories once, and again only when one has been kept since', async () => {
    const formerIdents = new FormerIdents(setup.writer);
    await formerIdents.forget();
    expect(await setup.writer.formerIdents()).toBeUndefined();
    for (const one of [at(0, A), at(1, B)]) await ingestBatch(setup.writer, batch([one]));
    expect(await setup.writer.formerIdents()).toBeUndefined();

    await owner.query('update instans set tidligere_identer_gikk = 0');
    const toForget = await setup.writer.formerIdents();
    // One that is kept while the histories are gone through is behind those that go through them.
    await ingestBatch(new Writer(pool, deltakerId, true), batch([at(2, C)]));
    await setup.writer.forgotten(toForget ?? '');
    expect(await history()).toEqual([B, B, C]);
    await formerIdents.forget();
    expect(await history()).toEqual([C, C, C]);
    expect(await setup.writer.formerIdents()).toBeUndefined();
  });
});

test('what a release from before it was kept has stored as entered into has been entered into', async () => {
  const entered = { avtaleInngått: '2026-01-01T12:00:00' };
  await ingest(batch([message(0, { ...entered, sistEndret: '2026-01-01T12:00:00Z' })]));
  await owner.query('update avtale set har_vaert_inngaatt = false, aldri_begynt = null, fra_arena = null');
  await ingest(batch([message(1, { avtaleInngått: null, sistEndret: '2026-01-02T12:00:00Z' })]));
  expect(await owner.query('select har_vaert_inngaatt, avtale_inngaatt from avtale')).toEqual([
    { har_vaert_inngaatt: true, avtale_inngaatt: null },
  ]);
});

describe('the messages of the simulator', () => {
  /** The last line of the feed about each avtale. */
  const lastWord = ({ endring: change }: Awaited<ReturnType<typeof dump>>): Map<unknown, unknown> =>
    new Map(change.map((line) => [line[0], line]));
  const messages = Array.from(createEvents({ seed: 7, count: 3_000, poison: true }), ({ key, value }, offset) => ({
    offset,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    writtenAt: Date.now(),
  }));
  const readAll = async (size: (i: number) => number): Promise<void> => {
    for (let from = 0, i = 0; from < messages.length; i++) {
      const to = from + size(i);
      await ingest(batch(messages.slice(from, to), from));
      from = to;
    }
  };

  test('end in the state that the contract says', async () => {
    await readAll(() => 500);
    const oracle = expected(messages.map(({ key, value, offset }) => ({ key, value, offset, partition: PARTITION })));
    const { rows } = await pool.query<{ avtale_id: string; sist_endret: string; slettet: string | null }>(
      `select avtale_id, slettet, to_char(sist_endret at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as sist_endret from avtale`,
    );
    const living = rows.filter(({ slettet: deleted }) => deleted === null);
    expect(new Map(living.map((row) => [row.avtale_id, row.sist_endret]))).toEqual(
      new Map([...oracle.avtaler].map(([id, avtale]) => [id, avtale.sistEndret])),
    );
    const lives = await pool.query<ExpectedLife & { avtaleId: string }>(
      `select avtale_id as "avtaleId", har_vaert_inngaatt as "everEntered", aldri_begynt as "neverBegan", fra_arena as "fromArena"
       from avtale where slettet is null`,
    );
    expect(new Map(lives.rows.map(({ avtaleId, ...life }) => [avtaleId, life]))).toEqual(oracle.lives);
    expect(new Set(rows.filter(({ slettet: deleted }) => deleted !== null).map((row) => row.avtale_id))).toEqual(
      new Set(oracle.slettet.keys()),
    );
    expect((await pool.query('select kafka_offset::int as offset, felt from parkert_melding order by 1')).rows).toEqual(
      oracle.parkert.map(({ offset, felt: field }) => ({ offset, felt: field })),
    );
  });

  test('give equal tables whatever the batches, and when all is played again', async () => {
    await readAll(() => 1_000);
    const oracle = await dump();
    await pool.query('update konsum_offset set neste_offset = 0');
    await readAll(() => 700);
    expect(await dump()).toEqual(oracle);

    await owner.query('truncate avtale, avtale_versjon, endring, relasjon, parkert_melding restart identity');
    await pool.query('update konsum_offset set neste_offset = 0');
    await readAll((i) => 1 + ((i * 37) % 200));
    // A link that comes and goes within one batch is not told of: the feed has fewer lines, and ends the same.
    const shared = await dump();
    expect({ ...shared, endring: lastWord(shared) }).toEqual({ ...oracle, endring: lastWord(oracle) });
  });
});

test('two ingestors that both believe they own the partition store each message once', async () => {
  const messages = Array.from({ length: 400 }, (_, offset) =>
    message(offset, { avtaleNr: offset, sistEndret: `2026-01-01T00:00:00.${String(offset).padStart(6, '0')}Z` }),
  );
  const read = async (who: Writer, step: number): Promise<void> => {
    for (let from = 0; from < messages.length;) {
      const { nextOffset } = await ingestBatch(who, {
        ...batch(messages.slice(from, from + step), from),
        endOffset: 400,
      });
      from = nextOffset;
    }
  };
  await Promise.all([read(setup.writer, 7), read(setup.otherWriter, 11)]);
  expect([await count('avtale'), await count('avtale_versjon'), await count('endring')]).toEqual([1, 400, 400]);
});

describe('what an older release did not read', () => {
  const unread = 'set aldri_begynt = null, fra_arena = null';
  const marks = async (): Promise<unknown> => {
    const { avtale, avtale_versjon } = await dump();
    const of = (rows: readonly unknown[]): unknown[] =>
      (rows as { aldri_begynt: unknown; fra_arena: unknown }[]).map(({ aldri_begynt: a, fra_arena: b }) => [a, b]);
    return [of(avtale), of(avtale_versjon)];
  };

  test.each([
    ['nothing that anybody could see: quietly', {}, [false, false], 0],
    ['that it never began: as a change', { annullertGrunn: 'Ikke møtt' }, [true, false], 1],
    [
      'that it came from Arena: as a change',
      { godkjentPaVegneGrunn: { arenaMigreringDeltaker: true } },
      [false, true],
      1,
    ],
  ])('is filled in when the topic is read again. %s', async (_, fields, read, told) => {
    const messages = [message(0, fields)];
    await ingest(batch(messages));
    await owner.query(`update avtale ${unread}; update avtale_versjon ${unread}; truncate endring`);
    const { repaired } = await setup.writer.write({
      ...{ topic: TOPIC, epoch: 0, partition: PARTITION, repair: true },
      select: () => Promise.resolve({ messages, record: (written) => Promise.resolve(written) }),
    });
    expect([await marks(), repaired.length]).toEqual([[[read], [read]], told]);
    expect((await dump()).endring).toHaveLength(told);
  });
});
