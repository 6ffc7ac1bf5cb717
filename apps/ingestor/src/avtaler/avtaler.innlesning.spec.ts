import { forventet, lagHendelser } from '@tiltak/simulator';
import {
  batch,
  deltakerId,
  ID,
  melding,
  PARTISJON,
  startTestInnlesning,
  TOPIC,
  type TestInnlesning,
} from '../testing/test-innlesning.ts';
import { UkjentPosisjon, type Innlesning } from './avtaler.innlesning.ts';
import { SystematiskAvvisning } from './avvist.ts';

let oppsett: TestInnlesning;
let innlesning: Innlesning;
let pool: TestInnlesning['pool'];
let eier: TestInnlesning['eier'];
let dump: TestInnlesning['dump'];

beforeAll(async () => {
  oppsett = await startTestInnlesning();
  ({ innlesning, pool, eier, dump } = oppsett);
});
afterAll(() => oppsett.stopp());
beforeEach(() => oppsett.toem());

const antall = async (tabell: string): Promise<number> =>
  Number((await pool.query<{ n: string }>(`select count(*) as n from ${tabell}`)).rows[0]?.n);

describe('a batch', () => {
  test('is stored, with its history, its changes and the position after it', async () => {
    const innlest = await innlesning.lesInn(
      batch(
        [
          melding(3, {
            bedriftNavn: 'tab\tnewline\nbackslash\\ \\N',
            avtaleNr: 7,
            stillingprosent: 33.3,
            deltakerFnr: '1',
          }),
          melding(5, { sistEndret: '2026-01-01T00:00:00.0000006Z', avtaleInngått: '2025-10-26T02:30:00.1234567' }),
        ],
        0,
      ),
    );
    expect(innlest.nesteOffset).toBe(6);
    const { avtale, avtale_versjon, endring, konsum_offset } = await dump();
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
    expect(endring).toEqual([
      [ID, 'ENDRET', null],
      [ID, 'ENDRET', null],
    ]);
    expect(konsum_offset).toEqual([{ topic: TOPIC, partisjon: PARTISJON, neste_offset: 6 }]);
  });

  test('given twice changes nothing, and a later part of it only what is new', async () => {
    const meldinger = [melding(0, { avtaleNr: 1 }), melding(1, { avtaleNr: 2 })];
    await innlesning.lesInn(batch(meldinger.slice(0, 1)));
    await innlesning.lesInn(batch(meldinger));
    const foer = await dump();
    expect((await innlesning.lesInn(batch(meldinger))).behandletFoer).toBe(2);
    expect(await dump()).toEqual(foer);
    expect(foer['avtale_versjon']).toHaveLength(2);
  });

  test('read from beyond the stored position is not stored: consumption goes back', async () => {
    await expect(innlesning.lesInn(batch([melding(9, {})]))).resolves.toMatchObject({ nesteOffset: 0 });
    expect(await antall('avtale')).toBe(0);
  });

  test('of a topic that ends before the stored position says that the position is unknown', async () => {
    await pool.query('update konsum_offset set neste_offset = 100');
    await expect(innlesning.lesInn(batch([melding(0, {})]))).rejects.toBeInstanceOf(UkjentPosisjon);
  });

  test('with messages that can not be used parks those, with the bytes, and stores the others', async () => {
    const raa = Buffer.from([0xff, 0xfe]);
    await innlesning.lesInn(
      batch([
        melding(0, { avtaleNr: 1 }),
        { offset: 1, nokkel: null, verdi: raa },
        melding(2, { startDato: 'i går' }),
        melding(3, { avtaleNr: 2 }),
      ]),
    );
    const { avtale, parkert_melding } = await dump();
    expect(avtale).toMatchObject([{ avtale_nr: 2 }]);
    expect(parkert_melding).toMatchObject([
      { kafka_offset: 1, kode: 'IKKE_UTF8', felt: null, nokkel: null, verdi: '\\xfffe', tilstand: 'PARKERT' },
      { kafka_offset: 2, kode: 'UGYLDIG_FELT', felt: 'startDato' },
    ]);
  });

  test('with rows that the database refuses parks exactly those', async () => {
    await eier.query(`alter table avtale_versjon add constraint ikke_sju check (avtale_nr % 7 <> 0)`);
    try {
      const meldinger = Array.from({ length: 50 }, (_, offset) =>
        melding(offset, {
          avtaleId: ID.slice(0, -2) + String(10 + (offset % 9)),
          avtaleNr: offset,
          sistEndret: `2026-01-01T00:00:${String(10 + offset)}Z`,
        }),
      );
      const innlest = await innlesning.lesInn(batch(meldinger));
      expect(innlest.parkert.map(({ plass }) => plass.offset)).toEqual([0, 7, 14, 21, 28, 35, 42, 49]);
      const { parkert_melding, avtale_versjon } = await dump();
      expect(parkert_melding).toHaveLength(8);
      expect(parkert_melding?.[0]).toMatchObject({
        kode: 'AVVIST_AV_DATABASEN',
        aarsak: 'the database refuses the row: SQLSTATE 23514, ikke_sju',
      });
      expect(avtale_versjon).toHaveLength(42);
    } finally {
      await eier.query('alter table avtale_versjon drop constraint ikke_sju');
    }
  });

  test('of which the database refuses too much waits, with nothing stored and nothing parked', async () => {
    const meldinger = Array.from({ length: 60 }, (_, offset) =>
      melding(offset, { avtaleId: ID.slice(0, -2) + String(10 + offset), avtaleNr: offset }),
    );
    await eier.query('alter table avtale add constraint for_trang check (avtale_nr < 39)');
    try {
      await expect(innlesning.lesInn(batch(meldinger))).rejects.toBeInstanceOf(SystematiskAvvisning);
      expect([await antall('avtale'), await antall('parkert_melding')]).toEqual([0, 0]);
    } finally {
      await eier.query('alter table avtale drop constraint for_trang');
    }
    await eier.query('alter table avtale add constraint for_trang check (avtale_nr < 40)');
    try {
      expect((await innlesning.lesInn(batch(meldinger))).parkert).toHaveLength(20);
      expect([await antall('avtale'), await antall('parkert_melding')]).toEqual([40, 20]);
    } finally {
      await eier.query('alter table avtale drop constraint for_trang');
    }
  });

  test('that the database can not take now has no effect at all', async () => {
    await eier.query('revoke insert on endring from datadeling_skriver');
    try {
      await expect(innlesning.lesInn(batch([melding(0, {}), melding(1, { startDato: 'x' })]))).rejects.toThrow();
      expect([await antall('avtale'), await antall('parkert_melding')]).toEqual([0, 0]);
    } finally {
      await eier.query('grant insert on endring to datadeling_skriver');
    }
    await innlesning.lesInn(batch([melding(0, {}), melding(1, { startDato: 'x' })]));
    expect([await antall('avtale'), await antall('parkert_melding')]).toEqual([1, 1]);
  });
});

test('deleting erases content and history, and leaves a marker', async () => {
  await innlesning.lesInn(batch([melding(0, { deltakerFnr: '1', bedriftNavn: 'Spor' })]));
  await innlesning.lesInn(batch([{ offset: 1, nokkel: Buffer.from(ID), verdi: null }]));
  const { avtale, avtale_versjon, endring } = await dump();
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
  expect(endring).toEqual([
    [ID, 'ENDRET', null],
    [ID, 'SLETTET', 'SLETTET'],
  ]);
});

describe('the messages of the simulator', () => {
  /** The last line of the feed about each avtale. */
  const sisteOrd = ({ endring }: Awaited<ReturnType<typeof dump>>): Map<unknown, unknown> =>
    new Map(endring.map((linje) => [linje[0], linje]));
  const meldinger = Array.from(lagHendelser({ seed: 7, antall: 3_000, gift: true }), ({ nokkel, verdi }, offset) => ({
    offset,
    nokkel: nokkel === null ? null : Buffer.from(nokkel),
    verdi: verdi === null ? null : Buffer.from(verdi),
  }));
  const lesAlt = async (stoerrelse: (i: number) => number): Promise<void> => {
    for (let fra = 0, i = 0; fra < meldinger.length; i++) {
      const til = fra + stoerrelse(i);
      await innlesning.lesInn(batch(meldinger.slice(fra, til), fra));
      fra = til;
    }
  };

  test('end in the state that the contract says', async () => {
    await lesAlt(() => 500);
    const fasit = forventet(meldinger.map((m) => ({ ...m, partisjon: PARTISJON })));
    const { rows } = await pool.query<{ avtale_id: string; sist_endret: string; slettet: string | null }>(
      `select avtale_id, slettet, to_char(sist_endret at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as sist_endret from avtale`,
    );
    const levende = rows.filter(({ slettet }) => slettet === null);
    expect(new Map(levende.map((rad) => [rad.avtale_id, rad.sist_endret]))).toEqual(
      new Map([...fasit.avtaler].map(([id, avtale]) => [id, avtale.sistEndret])),
    );
    expect(new Set(rows.filter(({ slettet }) => slettet !== null).map((rad) => rad.avtale_id))).toEqual(
      new Set(fasit.slettet.keys()),
    );
    expect((await pool.query('select kafka_offset::int as offset, felt from parkert_melding order by 1')).rows).toEqual(
      fasit.parkert.map(({ offset, felt }) => ({ offset, felt })),
    );
  });

  test('give equal tables whatever the batches, and when all is played again', async () => {
    await lesAlt(() => 1_000);
    const fasit = await dump();
    await pool.query('update konsum_offset set neste_offset = 0');
    await lesAlt(() => 700);
    expect(await dump()).toEqual(fasit);

    await eier.query('truncate avtale, avtale_versjon, endring, relasjon, parkert_melding restart identity');
    await pool.query('update konsum_offset set neste_offset = 0');
    await lesAlt((i) => 1 + ((i * 37) % 200));
    // A link that comes and goes within one batch is not told of: the feed has fewer lines, and ends the same.
    const delt = await dump();
    expect({ ...delt, endring: sisteOrd(delt) }).toEqual({ ...fasit, endring: sisteOrd(fasit) });
  });
});

test('two ingestors that both believe they own the partition store each message once', async () => {
  const meldinger = Array.from({ length: 400 }, (_, offset) =>
    melding(offset, { avtaleNr: offset, sistEndret: `2026-01-01T00:00:00.${String(offset).padStart(6, '0')}Z` }),
  );
  const les = async (hvem: Innlesning, steg: number): Promise<void> => {
    for (let fra = 0; fra < meldinger.length;) {
      const { nesteOffset } = await hvem.lesInn({ ...batch(meldinger.slice(fra, fra + steg), fra), sluttOffset: 400 });
      fra = nesteOffset;
    }
  };
  await Promise.all([les(innlesning, 7), les(oppsett.andre, 11)]);
  expect([await antall('avtale'), await antall('avtale_versjon'), await antall('endring')]).toEqual([1, 400, 400]);
});
