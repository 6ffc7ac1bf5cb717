import { syntetiskFnr } from '@tiltak/testing';
import { batch, ID, melding, PARTISJON, TOPIC } from '../testing/test-innlesning.ts';
import { startTestDrift, type TestDrift } from '../testing/test-drift.ts';

let drift: TestDrift;
const FNR = syntetiskFnr(1);

beforeAll(async () => {
  drift = await startTestDrift();
});
afterAll(() => drift.stopp());
beforeEach(() => drift.toem());

/** As if the message was fine, and the reading of it wrong, when it was parked. */
async function parkerGodMelding(offset: number, felter: Record<string, unknown>): Promise<string> {
  const { nokkel, verdi } = melding(offset, felter);
  const [rad] = await drift.eier.query<{ id: string }[]>(
    `insert into parkert_melding (topic, partisjon, kafka_offset, nokkel, verdi, avtrykk, kode, felt, aarsak)
     values ($1, $2, $3, $4, $5, sha256($5), 'UGYLDIG_FELT', 'startDato', 'was not understood then') returning id`,
    [TOPIC, PARTISJON, offset, nokkel, verdi],
  );
  return rad?.id ?? '';
}

const handlinger = async (): Promise<unknown[]> => (await drift.kall('GET', '/drift/v1/handlinger')).body.handlinger;

describe('access', () => {
  const RUTER = [
    ['GET', '/drift/v1/status'],
    ['GET', '/drift/v1/handlinger'],
    ['GET', '/drift/v1/parkerte'],
    ['GET', '/drift/v1/parkerte/1'],
    ['POST', '/drift/v1/parkerte/1/spill-av'],
    ['POST', '/drift/v1/parkerte/spill-av'],
    ['POST', '/drift/v1/parkerte/1/forkast'],
    ['GET', '/drift/v1/gjenoppbygging'],
    ['GET', '/drift/v1/gjenoppbygging/usette'],
    ['POST', '/drift/v1/gjenoppbygging'],
    ['POST', '/drift/v1/gjenoppbygging/stopp'],
    ['POST', '/drift/v1/avstemming'],
    ['GET', '/drift/v1/avstemming'],
    ['GET', '/drift/v1/avstemming/1'],
    ['GET', '/drift/v1/avstemming/1/differanser'],
    ['GET', '/drift/v1/avstemming/1/sendes-paa-nytt'],
    ['POST', '/drift/v1/avstemming/1/rett'],
  ] as const;

  test.each(RUTER)('%s %s needs a token with the role', async (metode, sti) => {
    expect(await drift.kall(metode, sti, undefined, null)).toMatchObject({ status: 401 });
    expect(await drift.kall(metode, sti, undefined, { roles: ['access_as_application'] })).toMatchObject({
      status: 403,
      body: { type: 'urn:tiltak-datadeling:feil:ikke-tilgang' },
    });
    expect(await drift.kall(metode, sti, undefined, { roles: 'drift' })).toMatchObject({ status: 403 });
  });
});

test('the status tells how far consumption has come, and what waits', async () => {
  await drift.innlesning.lesInn(
    batch([melding(0, {}), melding(1, { startDato: 'x' }), melding(2, { startDato: 'y' })]),
  );
  await drift.eier.query(`insert into konsum_status values ($1, $2, 7, '2026-01-01T00:00:00Z')`, [TOPIC, PARTISJON]);
  expect((await drift.kall('GET', '/drift/v1/status')).body).toEqual({
    organisasjon: 'nav',
    topic: TOPIC,
    dataOppdatert: '2026-01-01T00:00:00.000Z',
    partisjoner: [
      { partisjon: 0, nesteOffset: 3, sluttOffset: 7, etterslep: 4, oppdatertTil: '2026-01-01T00:00:00.000Z' },
    ],
    parkerte: [{ kode: 'UGYLDIG_FELT', felt: 'startDato', antall: 2 }],
    adapter: null,
  });
});

describe('the list', () => {
  test('pages through everything once, and filters', async () => {
    await drift.innlesning.lesInn(
      batch(Array.from({ length: 5 }, (_, i) => melding(i, i % 2 ? { startDato: 'x' } : { avtaleNr: 'x' }))),
    );
    const sett: number[] = [];
    for (let neste = '', flere = true; flere;) {
      const { body } = await drift.kall('GET', `/drift/v1/parkerte?antall=2${neste}`);
      sett.push(...body.parkerte.map(({ offset }: { offset: number }) => offset));
      neste = `&neste=${String(body.neste)}`;
      flere = body.neste !== undefined;
    }
    expect(sett).toEqual([0, 1, 2, 3, 4]);
    const { body } = await drift.kall('GET', '/drift/v1/parkerte?felt=startDato&kode=UGYLDIG_FELT&tilstand=PARKERT');
    expect(body.parkerte).toMatchObject([{ offset: 1, felt: 'startDato' }, { offset: 3 }]);
    expect((await drift.kall('GET', '/drift/v1/parkerte?tilstand=FORKASTET')).body.parkerte).toEqual([]);
  });

  test.each([
    ['antall=0', 'antall'],
    ['neste=x', 'neste'],
    ['tilstand=BORTE', 'tilstand'],
    ['kode=%27', 'kode'],
    ['ukjent=1', 'ukjent'],
  ])('refuses %s', async (sporring, felt) => {
    expect(await drift.kall('GET', `/drift/v1/parkerte?${sporring}`)).toMatchObject({
      status: 400,
      body: { feil: [{ felt }] },
    });
  });
});

describe('showing one', () => {
  test('hides what is about persons, and is audited', async () => {
    const felter = { deltakerFnr: FNR, deltakerFornavn: 'Kari', startDato: 'x', ukjent: { a: FNR }, tiltakstype: FNR };
    await drift.innlesning.lesInn(batch([melding(0, felter)]));
    const { body } = await drift.kall('GET', '/drift/v1/parkerte/1');
    expect(body).toMatchObject({ nokkel: ID, offset: 0, felt: 'startDato', aarsak: expect.any(String) });
    const vist = body.melding as string;
    expect(vist).toContain('"startDato": "x"');
    expect(vist).not.toMatch(/\d{11}|Kari/);
    expect(JSON.stringify(body.aarsak)).not.toContain(FNR);
    expect(await handlinger()).toMatchObject([
      { hvem: 'vakt@nav.example', klient: 'vaktklient', handling: 'VIS_PARKERT', gjelder: '1', antall: 1 },
    ]);
  });

  test('shows only the shape of what is not JSON', async () => {
    const verdi = Buffer.from(`{"navn":"Kari Ås","fnr":"${FNR}",`);
    await drift.innlesning.lesInn(batch([{ offset: 0, nokkel: Buffer.from(FNR), verdi }]));
    const { body } = await drift.kall('GET', '/drift/v1/parkerte/1');
    expect(body).toMatchObject({ nokkel: '00000000000', melding: '{"xxxx":"xxxx xx","xxx":"00000000000",' });
  });

  test('that is not there is 404', async () => {
    expect((await drift.kall('GET', '/drift/v1/parkerte/99')).status).toBe(404);
  });
});

describe('a replay', () => {
  test('of a message that can be used now stores it at its place', async () => {
    const nr = await parkerGodMelding(4, { avtaleNr: 7 });
    expect((await drift.kall('POST', `/drift/v1/parkerte/${nr}/spill-av`)).body).toEqual({ utfall: 'TATT_INN' });
    const { avtale, parkert_melding, konsum_offset, avtale_versjon } = await drift.dump();
    expect(avtale).toMatchObject([{ avtale_nr: 7, kilde_partisjon: PARTISJON, kilde_offset: 4 }]);
    expect(avtale_versjon).toHaveLength(1);
    expect(parkert_melding).toMatchObject([
      { tilstand: 'SPILT_AV', forsok: 2, behandlet_av: 'vakt@nav.example', behandlet: expect.any(String) },
    ]);
    expect(konsum_offset).toMatchObject([{ neste_offset: 0 }]);
    expect(await handlinger()).toMatchObject([{ handling: 'SPILL_AV', gjelder: nr, antall: 1 }]);
    expect((await drift.kall('POST', `/drift/v1/parkerte/${nr}/spill-av`)).status).toBe(409);
  });

  test.each([
    ['older', '2026-01-01T00:00:00Z'],
    ['equal, earlier on the topic', '2026-02-01T00:00:00Z'],
  ])('obeys the ordering rule: %s', async (_, sistEndret) => {
    const nr = await parkerGodMelding(4, { avtaleNr: 7, sistEndret });
    await drift.innlesning.lesInn(batch([melding(5, { avtaleNr: 8, sistEndret: '2026-02-01T00:00:00Z' })], 0));
    const foer = await drift.dump();
    expect((await drift.kall('POST', `/drift/v1/parkerte/${nr}/spill-av`)).body).toEqual({ utfall: 'FORELDET' });
    const { parkert_melding: _p, ...etter } = await drift.dump();
    expect(etter).toEqual({ ...foer, parkert_melding: undefined });
  });

  test('of one that still can not be used leaves it, with the attempt and the reason of today', async () => {
    await drift.innlesning.lesInn(batch([melding(0, { startDato: 'x' })]));
    await drift.eier.query(`update parkert_melding set felt = 'annet', aarsak = 'old'`);
    expect((await drift.kall('POST', '/drift/v1/parkerte/1/spill-av')).body).toEqual({ utfall: 'PARKERT' });
    const { parkert_melding } = await drift.dump();
    expect(parkert_melding).toMatchObject([{ tilstand: 'PARKERT', forsok: 2, felt: 'startDato' }]);
  });

  test('of one that the database refuses leaves it', async () => {
    const nr = await parkerGodMelding(4, { avtaleNr: 7 });
    await drift.eier.query('alter table avtale add constraint ikke_sju check (avtale_nr <> 7)');
    try {
      expect((await drift.kall('POST', `/drift/v1/parkerte/${nr}/spill-av`)).body).toEqual({ utfall: 'PARKERT' });
    } finally {
      await drift.eier.query('alter table avtale drop constraint ikke_sju');
    }
    const { parkert_melding, avtale } = await drift.dump();
    expect(avtale).toEqual([]);
    expect(parkert_melding).toMatchObject([{ tilstand: 'PARKERT', forsok: 2, kode: 'AVVIST_AV_DATABASEN' }]);
    expect(await handlinger()).toHaveLength(1);
  });

  test('by several at once happens once', async () => {
    const nr = await parkerGodMelding(4, { avtaleNr: 7 });
    const svar = await Promise.all(
      Array.from({ length: 5 }, () => drift.kall('POST', `/drift/v1/parkerte/${nr}/spill-av`)),
    );
    expect(svar.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
    expect((await drift.dump()).avtale_versjon).toHaveLength(1);
    expect(await handlinger()).toHaveLength(1);
  });

  test('of many takes those of the reason, more than one helping, and goes past those still bad', async () => {
    for (let i = 0; i < 105; i++) {
      const godMelding = i !== 50;
      await parkerGodMelding(i, {
        avtaleId: `${ID.slice(0, -3)}${String(100 + i)}`,
        ...(godMelding ? {} : { avtaleNr: 'x' }),
      });
    }
    await drift.innlesning.lesInn(batch([{ offset: 200, nokkel: null, verdi: Buffer.from('x') }], 0));
    expect((await drift.kall('POST', '/drift/v1/parkerte/spill-av', {})).body).toMatchObject({
      status: 400,
      feil: [{ felt: 'alle' }],
    });
    const { body } = await drift.kall('POST', '/drift/v1/parkerte/spill-av', { kode: 'UGYLDIG_FELT' });
    expect(body).toEqual({ forsoekt: 105, spiltAv: 104, fortsattParkert: 1 });
    const alle = await drift.kall('POST', '/drift/v1/parkerte/spill-av', { alle: true });
    expect(alle.body).toEqual({ forsoekt: 2, spiltAv: 0, fortsattParkert: 2 });
    expect(await handlinger()).toMatchObject([
      { handling: 'SPILL_AV_FLERE', gjelder: 'alle', antall: 0 },
      { handling: 'SPILL_AV_FLERE', gjelder: 'UGYLDIG_FELT', antall: 104 },
    ]);
  });
});

describe('discarding', () => {
  test('keeps the bytes, who and why, and happens once', async () => {
    await drift.innlesning.lesInn(batch([melding(0, { startDato: 'x' })]));
    const forkast = (): ReturnType<TestDrift['kall']> =>
      drift.kall('POST', '/drift/v1/parkerte/1/forkast', { begrunnelse: 'Testmelding' });
    const svar = await Promise.all([forkast(), forkast()]);
    expect(svar.map(({ status }) => status).sort()).toEqual([204, 409]);
    expect((await drift.dump()).parkert_melding).toMatchObject([
      {
        tilstand: 'FORKASTET',
        begrunnelse: 'Testmelding',
        behandlet_av: 'vakt@nav.example',
        verdi: expect.any(String),
      },
    ]);
    expect(await handlinger()).toMatchObject([{ handling: 'FORKAST', gjelder: '1' }]);
  });

  test.each([[{}], [{ begrunnelse: '' }], [{ begrunnelse: `gjelder ${FNR}` }]])('needs a reason: %#', async (body) => {
    const svar = await drift.kall('POST', '/drift/v1/parkerte/1/forkast', body);
    expect(svar).toMatchObject({ status: 400, body: { feil: expect.any(Array) } });
    expect(JSON.stringify(svar.body)).not.toContain(FNR);
  });
});

test('nobody can take away or change what was done, but for the count', async () => {
  await expect(drift.pool.query('delete from driftshandling')).rejects.toThrow('permission denied');
  await expect(drift.pool.query(`update driftshandling set hvem = 'x'`)).rejects.toThrow('permission denied');
});
