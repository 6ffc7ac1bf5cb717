import { onDuty, ON_DUTY_NAV_IDENT, syntheticFnr, syntheticOrgnr } from '@tiltak/testing';
import { metrics } from '../metrics.ts';
import { batch, ID, message, PARTITION, TOPIC, TOPIC_ID } from '../testing/test-ingest.ts';
import { ADAPTER, CONTRACT } from '../testing/test-adapter.ts';
import { GROUP_ON_DUTY, startTestIngestor, type TestIngestor } from '../testing/test-ingestor.ts';
import { MissingVirksomheter } from '../resources/virksomheter/missing.job.ts';
import { ParkedRetention } from './parked/retention.job.ts';

let ingestor: TestIngestor;
const FNR = syntheticFnr(1);
const UNITS = 'virksomheter';

beforeAll(async () => {
  ingestor = await startTestIngestor(undefined, { VIRKSOMHET_TOPIC: UNITS });
});
afterAll(() => ingestor.stop());
beforeEach(() => ingestor.empty());

/** As if the message was fine, and the reading of it wrong, when it was parked. */
async function parkGoodMessage(offset: number, fields: Record<string, unknown>): Promise<string> {
  const { key, value } = message(offset, fields);
  const [row] = await ingestor.owner.query<{ id: string }[]>(
    `insert into parkert_melding (topic, partisjon, kafka_offset, nokkel, verdi, avtrykk, kode, felt, aarsak)
     values ($1, $2, $3, $4, $5, sha256($5), 'UGYLDIG_FELT', 'startDato', 'was not understood then') returning id`,
    [TOPIC, PARTITION, offset, key, value],
  );
  return row?.id ?? '';
}

const actions = async (): Promise<unknown[]> => (await ingestor.call('GET', '/drift/v1/handlinger')).body.handlinger;

describe('access', () => {
  const ROUTES = [
    ['GET', '/drift/v1/status'],
    ['GET', '/drift/v1/handlinger'],
    ['GET', '/drift/v1/parkerte'],
    ['GET', '/drift/v1/parkerte/1'],
    ['POST', '/drift/v1/parkerte/1/spill-av'],
    ['POST', '/drift/v1/parkerte/spill-av'],
    ['POST', '/drift/v1/parkerte/1/forkast'],
    ['POST', '/drift/v1/adapter/frigi'],
    ['GET', '/drift/v1/virksomheter'],
    ['POST', '/drift/v1/virksomheter/manglende'],
    ['POST', '/drift/v1/virksomheter/uten-hovedenhet'],
    ['GET', '/drift/v1/gjenoppbygging'],
    ['GET', '/drift/v1/gjenoppbygging/usette'],
    ['POST', '/drift/v1/gjenoppbygging'],
    ['POST', '/drift/v1/gjenoppbygging/stopp'],
    ['POST', '/drift/v1/gjenoppbygging/bekreft'],
    ['POST', '/drift/v1/avstemming'],
    ['GET', '/drift/v1/avstemming'],
    ['GET', '/drift/v1/avstemming/1'],
    ['GET', '/drift/v1/avstemming/1/differanser'],
    ['GET', '/drift/v1/avstemming/1/sendes-paa-nytt'],
    ['POST', '/drift/v1/avstemming/1/rett'],
  ] as const;

  test.each(ROUTES)('%s %s is for a person on duty, and tells others why not', async (method, path) => {
    const refused = async (claims: Record<string, unknown>): Promise<unknown> => {
      const { status, body } = await ingestor.call(method, path, undefined, claims);
      return [status, body.type, body.detail];
    };
    const because = (reason: string): unknown => [403, 'urn:tiltak-datadeling:feil:ikke-tilgang', reason];
    expect(await ingestor.call(method, path, undefined, null)).toMatchObject({ status: 401 });
    expect(await refused({ roles: ['access_as_application', 'drift'] })).toEqual(
      because('The operation is for people who have logged in; this is a machine token (idtyp app)'),
    );
    expect(await refused({ ...onDuty(), NAVident: undefined })).toEqual(
      because('The token has no Nav ident (claim NAVident) that could be audited'),
    );
    expect(await refused({ ...onDuty(), roles: ['annet'], groups: ['annet'] })).toEqual(
      because('The person has neither the role drift nor a group on duty'),
    );
  });

  test('by a group that is on duty, as by the role', async () => {
    const member = { ...onDuty(), roles: undefined, groups: [GROUP_ON_DUTY] };
    expect(await ingestor.call('GET', '/drift/v1/status', undefined, member)).toMatchObject({ status: 200 });
  });

  test.each([
    ['same-origin', 200],
    ['none', 200],
    ['same-site', 403],
    ['cross-site', 403],
  ])('asked by a browser from %s: %d', async (site, status) => {
    const authorization = `Bearer ${await ingestor.token()}`;
    const headers = { authorization, 'sec-fetch-site': site };
    expect((await fetch(`${ingestor.url}/drift/v1/status`, { headers })).status).toBe(status);
  });
});

test('what people on duty are shown, by the session of a browser, is not compressed', async () => {
  for (let offset = 0; offset < 10; offset++) await parkGoodMessage(offset, {});
  const headers = { authorization: `Bearer ${await ingestor.token()}`, 'accept-encoding': 'br' };
  const encodingOf = async (path: string): Promise<string | null> => {
    const response = await fetch(`${ingestor.url}${path}`, { headers });
    expect([response.status, (await response.text()).length > 1_024]).toEqual([200, true]);
    return response.headers.get('content-encoding');
  };
  expect([await encodingOf('/drift/v1/parkerte'), await encodingOf('/openapi.json')]).toEqual([null, 'br']);
});

test('the status tells how far consumption has come, what was lost, which topic it is, and what waits', async () => {
  await ingestor.ingest(batch([message(0, {}), message(1, { startDato: 'x' }), message(2, { startDato: 'y' })]));
  await ingestor.owner.query(`insert into konsum_status values ($1, $2, 7, '2026-01-01T00:00:00Z')`, [
    TOPIC,
    PARTITION,
  ]);
  expect((await ingestor.call('GET', '/drift/v1/status')).body).toEqual({
    organisasjon: 'nav',
    topic: TOPIC,
    dataOppdatert: '2026-01-01T00:00:00.000Z',
    partisjoner: [
      { partisjon: 0, nesteOffset: 3, sluttOffset: 7, etterslep: 4, oppdatertTil: '2026-01-01T00:00:00.000Z' },
    ],
    hull: [],
    topicer: [{ topic: TOPIC, topicId: TOPIC_ID, epoke: 0, foerstSett: expect.any(String) }],
    parkerte: [{ kode: 'UGYLDIG_FELT', felt: 'startDato', antall: 2 }],
    adapter: null,
  });
});

describe('the list', () => {
  test('pages through everything once, and filters', async () => {
    await ingestor.ingest(
      batch(Array.from({ length: 5 }, (_, i) => message(i, i % 2 ? { startDato: 'x' } : { avtaleNr: 'x' }))),
    );
    const seen: number[] = [];
    for (let next = '', more = true; more;) {
      const { body } = await ingestor.call('GET', `/drift/v1/parkerte?antall=2${next}`);
      seen.push(...body.parkerte.map(({ offset }: { offset: number }) => offset));
      next = `&neste=${String(body.neste)}`;
      more = body.neste !== undefined;
    }
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    const { body } = await ingestor.call('GET', '/drift/v1/parkerte?felt=startDato&kode=UGYLDIG_FELT&tilstand=PARKERT');
    expect(body.parkerte).toMatchObject([{ offset: 1, felt: 'startDato' }, { offset: 3 }]);
    expect((await ingestor.call('GET', '/drift/v1/parkerte?tilstand=FORKASTET')).body.parkerte).toEqual([]);
  });

  test.each([
    ['antall=0', 'antall'],
    ['neste=x', 'neste'],
    ['tilstand=BORTE', 'tilstand'],
    ['kode=%27', 'kode'],
    ['ukjent=1', 'ukjent'],
  ])('refuses %s', async (query, field) => {
    expect(await ingestor.call('GET', `/drift/v1/parkerte?${query}`)).toMatchObject({
      status: 400,
      body: { feil: [{ felt: field }] },
    });
  });
});

describe('virksomheter', () => {
  const nr = (n: number): string => syntheticOrgnr(n);
  const say = (unit: number, above: number | null): Promise<unknown> =>
    ingestor.owner.query(
      `insert into virksomhet (organisasjonsnummer, overordnet_enhet, sist_endret, kilde_epoke, kilde_partisjon, kilde_offset)
       values ($1, $2, now(), 0, 0, 0)`,
      [nr(unit), above === null ? null : nr(above)],
    );
  /** As the ingestor's writer, and its job, leave it. */
  const settle = async (): Promise<void> => {
    await ingestor.owner.query('select oppdater_hovedenheter(array(select organisasjonsnummer from virksomhet))');
    await new MissingVirksomheter(ingestor.pool).round();
  };
  const path = '/drift/v1/virksomheter';

  test('are told of without a number: how they come in, and how many links do not hang together', async () => {
    await ingestor.owner.query(
      `insert into konsum_offset values ($1, 0, 5); insert into ressurs_status values ('virksomheter', $1, 0, 7, '2026-01-01T00:00:00Z')`.replaceAll(
        '$1',
        `'${UNITS}'`,
      ),
    );
    await ingestor.ingest(batch([message(0, { bedriftNr: nr(1) })]));
    await say(2, 3);
    await say(4, 5);
    await say(5, 4);
    await settle();
    const { body } = await ingestor.call('GET', path);
    expect(body).toMatchObject({
      ...{ topic: UNITS, dataOppdatert: '2026-01-01T00:00:00.000Z', partisjoner: [{ etterslep: 2 }], tilstand: 'OBS' },
      ...{ manglende: 2, eldsteManglende: expect.any(String), avtalerMedManglende: 1, utenHovedenhet: 2 },
    });
    expect(JSON.stringify(body)).not.toMatch(/\b\d{9}\b/);
    expect(await actions()).toEqual([]);
    const age = (days: number): Promise<unknown> =>
      ingestor.owner
        .query(`delete from virksomhet where organisasjonsnummer in ($1, $2)`, [nr(4), nr(5)])
        .then(() =>
          ingestor.owner.query(`update manglende_virksomhet set siden = now() - make_interval(days => $1)`, [days]),
        );
    for (const [days, state] of [
      [6, 'BRA'],
      [8, 'OBS'],
    ] as const) {
      await age(days);
      expect((await ingestor.call('GET', path)).body.tilstand).toBe(state);
    }
  });

  test('that are missing are listed a page at a time, oldest first, and who saw which list is noted', async () => {
    for (let unit = 1; unit <= 5; unit++) await say(unit, unit + 10);
    await settle();
    await ingestor.owner.query(
      `update manglende_virksomhet set siden = '2026-01-01T00:00:00.123457Z' where organisasjonsnummer <> $1`,
      [nr(13)],
    );
    const seen: string[] = [];
    for (let next: object | undefined = {}; next;) {
      const { body } = await ingestor.call('POST', `${path}/manglende`, { antall: 2, ...next });
      seen.push(...body.manglende.map((one: { organisasjonsnummer: string }) => one.organisasjonsnummer));
      next = body.neste === undefined ? undefined : { neste: body.neste };
    }
    expect(seen).toEqual([...[11, 12, 14, 15].map(nr).sort(), nr(13)]);
    expect(await actions()).toMatchObject(
      [1, 2, 2].map((count) => ({
        handling: 'VIS_MANGLENDE_VIRKSOMHETER',
        antall: count,
        hvem: ON_DUTY_NAV_IDENT,
        gjelder: null,
      })),
    );
  });

  test('without a hovedenhet are listed with what their chain leads into', async () => {
    for (const [unit, above] of [
      [1, 2],
      [2, 3],
      [3, 2],
      ...Array.from({ length: 21 }, (_, n) => [100 + n, 101 + n] as const),
    ] as const)
      await say(unit, above);
    await settle();
    const read = async (body: object): Promise<{ virksomheter: Record<string, unknown>[]; neste?: string }> =>
      (await ingestor.call('POST', `${path}/uten-hovedenhet`, body)).body;
    const first = await read({ antall: 3 });
    const second = await read({ antall: 3, neste: first.neste });
    const all = [...first.virksomheter, ...second.virksomheter];
    expect(new Map(all.map((one) => [one['organisasjonsnummer'], one['kjede']]))).toEqual(
      new Map([
        [nr(1), [1, 2, 3, 2].map(nr)],
        [nr(2), [2, 3, 2].map(nr)],
        [nr(3), [3, 2, 3].map(nr)],
        [nr(100), Array.from({ length: 22 }, (_, n) => nr(100 + n))],
      ]),
    );
    const tooLong = all.filter(({ aarsak }) => aarsak === 'FOR_MANGE_NIVAAER');
    expect(tooLong.map((one) => one['organisasjonsnummer'])).toEqual([nr(100)]);
    expect(second.neste).toBeUndefined();
    expect(await actions()).toMatchObject(
      [1, 3].map((count) => ({ handling: 'VIS_VIRKSOMHETER_UTEN_HOVEDENHET', antall: count })),
    );
  });
});

describe('showing one', () => {
  test('hides what is about persons, and is audited', async () => {
    const fields = { deltakerFnr: FNR, deltakerFornavn: 'Kari', startDato: 'x', ukjent: { a: FNR }, tiltakstype: FNR };
    await ingestor.ingest(batch([message(0, fields)]));
    const { body } = await ingestor.call('GET', '/drift/v1/parkerte/1');
    expect(body).toMatchObject({ nokkel: ID, offset: 0, felt: 'startDato', aarsak: expect.any(String) });
    const shown = body.melding as string;
    expect(shown).toContain('"startDato": "x"');
    expect(shown).not.toMatch(/\d{11}|Kari/);
    expect(JSON.stringify(body.aarsak)).not.toContain(FNR);
    expect(await actions()).toMatchObject([
      { hvem: ON_DUTY_NAV_IDENT, klient: 'vaktklient', handling: 'VIS_PARKERT', gjelder: '1', antall: 1 },
    ]);
  });

  test('shows only the shape of what is not JSON', async () => {
    const value = Buffer.from(`{"navn":"Kari Ås","fnr":"${FNR}",`);
    await ingestor.ingest(batch([{ offset: 0, key: Buffer.from(FNR), value }]));
    const { body } = await ingestor.call('GET', '/drift/v1/parkerte/1');
    expect(body).toMatchObject({ nokkel: '00000000000', melding: '{"xxxx":"xxxx xx","xxx":"00000000000",' });
  });

  test('that is not there is 404', async () => {
    expect((await ingestor.call('GET', '/drift/v1/parkerte/99')).status).toBe(404);
  });
});

describe('a replay', () => {
  test('of a message that can be used now stores it at its place', async () => {
    const nr = await parkGoodMessage(4, { avtaleNr: 7 });
    expect((await ingestor.call('POST', `/drift/v1/parkerte/${nr}/spill-av`)).body).toEqual({ utfall: 'TATT_INN' });
    const { avtale, parkert_melding, konsum_offset, avtale_versjon } = await ingestor.dump();
    expect(avtale).toMatchObject([{ avtale_nr: 7, kilde_partisjon: PARTITION, kilde_offset: 4 }]);
    expect(avtale_versjon).toHaveLength(1);
    expect(parkert_melding).toMatchObject([
      {
        ...{ tilstand: 'SPILT_AV', forsok: 2, behandlet_av: ON_DUTY_NAV_IDENT },
        ...{ nokkel: null, verdi: null, innhold_fjernet_aarsak: 'SPILT_AV' },
      },
    ]);
    expect(konsum_offset).toMatchObject([{ neste_offset: 0 }]);
    expect(await actions()).toMatchObject([{ handling: 'SPILL_AV', gjelder: nr, antall: 1 }]);
    expect((await ingestor.call('POST', `/drift/v1/parkerte/${nr}/spill-av`)).status).toBe(409);
  });

  test.each([
    ['older', '2026-01-01T00:00:00Z'],
    ['equal, earlier on the topic', '2026-02-01T00:00:00Z'],
  ])('obeys the ordering rule: %s', async (_, sistEndret) => {
    const nr = await parkGoodMessage(4, { avtaleNr: 7, sistEndret });
    await ingestor.ingest(batch([message(5, { avtaleNr: 8, sistEndret: '2026-02-01T00:00:00Z' })], 0));
    const before = await ingestor.dump();
    expect((await ingestor.call('POST', `/drift/v1/parkerte/${nr}/spill-av`)).body).toEqual({ utfall: 'FORELDET' });
    const { parkert_melding: _p, ...after } = await ingestor.dump();
    // That this was said before is remembered, and is all.
    const avtale = after.avtale.map((row) => ({ ...row, kilde_minne: null }));
    expect({ ...after, avtale }).toEqual({ ...before, parkert_melding: undefined });
  });

  test('of one that still can not be used leaves it, with the attempt and the reason of today', async () => {
    await ingestor.ingest(batch([message(0, { startDato: 'x' })]));
    await ingestor.owner.query(`update parkert_melding set felt = 'annet', aarsak = 'old'`);
    expect((await ingestor.call('POST', '/drift/v1/parkerte/1/spill-av')).body).toEqual({ utfall: 'PARKERT' });
    const { parkert_melding } = await ingestor.dump();
    expect(parkert_melding).toMatchObject([{ tilstand: 'PARKERT', forsok: 2, felt: 'startDato' }]);
  });

  test('judges a change from the future by when it was written, however late it is replayed', async () => {
    const writtenAt = Date.parse('2026-03-01T12:00:00Z');
    const late = { ...message(0, { sistEndret: '2026-03-02T12:00:00.000001Z' }), writtenAt };
    const within = { ...message(1, { sistEndret: '2026-03-02T12:00:00Z', startDato: 'x' }), writtenAt };
    await ingestor.ingest(batch([late, within]));
    await ingestor.owner.query('update parkert_melding set verdi = $1 where kafka_offset = 1', [
      message(1, { sistEndret: '2026-03-02T12:00:00Z' }).value,
    ]);
    const { body } = await ingestor.call('POST', '/drift/v1/parkerte/spill-av', { alle: true });
    expect(body).toEqual({ forsoekt: 2, spiltAv: 1, fortsattParkert: 1 });
    const { avtale, parkert_melding } = await ingestor.dump();
    expect(avtale).toMatchObject([{ kilde_offset: 1 }]);
    expect(parkert_melding).toMatchObject([{ tilstand: 'PARKERT', kode: 'FREMTIDIG' }, { tilstand: 'SPILT_AV' }]);
  });

  test.each([
    ['at once', 'avtale', 'avtale_nr <> 7'],
    ['when it is noted', 'parkert_melding', "tilstand <> 'SPILT_AV'"],
  ])('of one that the database refuses %s leaves it', async (_, table, condition) => {
    const nr = await parkGoodMessage(4, { avtaleNr: 7 });
    await ingestor.owner.query(`alter table ${table} add constraint nei check (${condition})`);
    try {
      expect((await ingestor.call('POST', `/drift/v1/parkerte/${nr}/spill-av`)).body).toEqual({ utfall: 'PARKERT' });
    } finally {
      await ingestor.owner.query(`alter table ${table} drop constraint nei`);
    }
    const { parkert_melding, avtale } = await ingestor.dump();
    expect(avtale).toEqual([]);
    expect(parkert_melding).toMatchObject([{ tilstand: 'PARKERT', forsok: 2, kode: 'AVVIST_AV_DATABASEN' }]);
    expect(await actions()).toHaveLength(1);
  });

  test('by several at once happens once', async () => {
    const nr = await parkGoodMessage(4, { avtaleNr: 7 });
    const response = await Promise.all(
      Array.from({ length: 5 }, () => ingestor.call('POST', `/drift/v1/parkerte/${nr}/spill-av`)),
    );
    expect(response.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
    expect((await ingestor.dump()).avtale_versjon).toHaveLength(1);
    expect(await actions()).toHaveLength(1);
  });

  test('of many takes those of the reason, more than one helping, and goes past those still bad', async () => {
    for (let i = 0; i < 105; i++) {
      const goodMessage = i !== 50;
      await parkGoodMessage(i, {
        avtaleId: `${ID.slice(0, -3)}${String(100 + i)}`,
        ...(goodMessage ? {} : { avtaleNr: 'x' }),
      });
    }
    await ingestor.ingest(batch([{ offset: 200, key: null, value: Buffer.from('x') }], 0));
    expect((await ingestor.call('POST', '/drift/v1/parkerte/spill-av', {})).body).toMatchObject({
      status: 400,
      feil: [{ felt: 'alle' }],
    });
    const { body } = await ingestor.call('POST', '/drift/v1/parkerte/spill-av', { kode: 'UGYLDIG_FELT' });
    expect(body).toEqual({ forsoekt: 105, spiltAv: 104, fortsattParkert: 1 });
    const all = await ingestor.call('POST', '/drift/v1/parkerte/spill-av', { alle: true });
    expect(all.body).toEqual({ forsoekt: 2, spiltAv: 0, fortsattParkert: 2 });
    expect(await actions()).toMatchObject([
      { handling: 'SPILL_AV_FLERE', gjelder: 'alle', antall: 0 },
      { handling: 'SPILL_AV_FLERE', gjelder: 'UGYLDIG_FELT', antall: 104 },
    ]);
  });
});

describe('discarding', () => {
  test('removes the bytes, keeps place, fingerprint, who and why, and happens once', async () => {
    await ingestor.ingest(batch([message(0, { startDato: 'x' })]));
    const discard = (): ReturnType<TestIngestor['call']> =>
      ingestor.call('POST', '/drift/v1/parkerte/1/forkast', { begrunnelse: 'TESTMELDING' });
    const response = await Promise.all([discard(), discard()]);
    expect(response.map(({ status }) => status).sort()).toEqual([204, 409]);
    expect((await ingestor.dump()).parkert_melding).toMatchObject([
      {
        ...{ tilstand: 'FORKASTET', begrunnelse: 'TESTMELDING', behandlet_av: ON_DUTY_NAV_IDENT },
        ...{ nokkel: null, verdi: null, avtaler: [], innhold_fjernet_aarsak: 'FORKASTET' },
        ...{ topic: TOPIC, kafka_offset: 0, felt: 'startDato', avtrykk: expect.stringMatching(/^\\x[0-9a-f]{64}$/) },
      },
    ]);
    expect(await actions()).toMatchObject([{ handling: 'FORKAST', gjelder: '1' }]);
    const { body } = await ingestor.call('GET', '/drift/v1/parkerte/1');
    expect(body).toMatchObject({ nokkel: null, melding: null, innholdFjernetAarsak: 'FORKASTET' });
  });

  test.each([
    [{}],
    [{ begrunnelse: '' }],
    [{ begrunnelse: 'Testmelding' }],
    [{ begrunnelse: `gjelder ${FNR}` }],
    [{ begrunnelse: 'AVTALE_SLETTET' }],
  ])('needs a reason of the list: %#', async (body) => {
    const response = await ingestor.call('POST', '/drift/v1/parkerte/1/forkast', body);
    expect(response).toMatchObject({ status: 400, body: { feil: expect.any(Array) } });
    expect(JSON.stringify(response.body)).not.toContain(FNR);
  });
});

describe('releasing the contract of an adapter', () => {
  const NEW_CLIENT = { ...ADAPTER, azp: 'ny-klient' };
  const { adapterId } = CONTRACT;
  const release = (body: Record<string, unknown>): ReturnType<TestIngestor['call']> =>
    ingestor.call('POST', '/drift/v1/adapter/frigi', body);
  beforeEach(() => ingestor.owner.query('truncate adapter'));

  test('lets another client take over, and is told of with the reason', async () => {
    await ingestor.call('PUT', '/adapter/v1/kontrakt', CONTRACT, ADAPTER);
    expect((await ingestor.call('PUT', '/adapter/v1/kontrakt', CONTRACT, NEW_CLIENT)).status).toBe(403);
    expect(await release({ adapterId, aarsak: 'NY_KLIENT' })).toMatchObject({ status: 204 });
    expect(await actions()).toMatchObject([
      { handling: 'FRIGI_KONTRAKT', hvem: ON_DUTY_NAV_IDENT, gjelder: 'spec-adapter (vaktklient): NY_KLIENT' },
    ]);
    expect((await ingestor.call('PUT', '/adapter/v1/kontrakt', CONTRACT, NEW_CLIENT)).status).toBe(200);
    expect((await ingestor.call('POST', '/adapter/v1/hjerteslag', undefined, NEW_CLIENT)).status).toBe(200);
    expect((await ingestor.call('POST', '/adapter/v1/hjerteslag', undefined, ADAPTER)).status).toBe(403);
  });

  test('that is not the one that was meant changes nothing', async () => {
    expect((await release({ adapterId, aarsak: 'AVVIKLET' })).status).toBe(404);
    await ingestor.call('PUT', '/adapter/v1/kontrakt', CONTRACT, ADAPTER);
    expect((await release({ adapterId: 'en-annen', aarsak: 'AVVIKLET' })).status).toBe(409);
    expect(await release({ adapterId, aarsak: 'fordi' })).toMatchObject({
      status: 400,
      body: { feil: [{ felt: 'aarsak' }] },
    });
    expect((await ingestor.call('POST', '/adapter/v1/hjerteslag', undefined, ADAPTER)).status).toBe(200);
    expect(await actions()).toEqual([]);
  });
});

test('nobody can take away or change what was done, nor say when, but for the count, once', async () => {
  const nr = await parkGoodMessage(4, { avtaleNr: 7 });
  await ingestor.call('POST', `/drift/v1/parkerte/${nr}/spill-av`);
  await ingestor.call('POST', '/drift/v1/parkerte/spill-av', { alle: true });
  const before = await actions();
  expect(before).toMatchObject([{ handling: 'SPILL_AV_FLERE', antall: 0 }, { antall: 1 }]);
  for (const sql of [
    'delete from driftshandling',
    `update driftshandling set hvem = 'x'`,
    'update driftshandling set antall = 7',
    'truncate driftshandling',
    `insert into driftshandling (tidspunkt, hvem, klient, handling, call_id) values (now(), 'x', 'x', 'x', 'x')`,
    `insert into driftshandling (id, hvem, klient, handling, call_id)
     overriding system value values (9, 'x', 'x', 'x', 'x')`,
  ]) {
    await expect(ingestor.pool.query(sql)).rejects.toThrow('permission denied');
  }
  await ingestor.pool.query('select fullfoer_driftshandling(id, 9) from driftshandling');
  await expect(ingestor.pool.query('select fullfoer_driftshandling(1, -1)')).rejects.toThrow('at least 0');
  expect(await actions()).toEqual(before);
});

describe('what is kept of parked messages', () => {
  const age = (days: number, column: string): Promise<unknown> =>
    ingestor.owner.query(`update parkert_melding set ${column} = now() - make_interval(days => $1)`, [days]);
  const round = (): Promise<void> => new ParkedRetention(ingestor.pool).round();
  const oldestDays = async (): Promise<number> => {
    const { values } = await metrics.oldestParked.get();
    return Math.floor((values[0]?.value ?? 0) / 86_400);
  };

  test('resolved ones go after 90 days', async () => {
    await ingestor.ingest(batch([message(0, { startDato: 'x' })]));
    await ingestor.call('POST', '/drift/v1/parkerte/1/forkast', { begrunnelse: 'ANNET' });
    await age(400, 'parkert');
    await age(89, 'behandlet');
    await round();
    expect((await ingestor.dump()).parkert_melding).toHaveLength(1);
    await age(91, 'behandlet');
    await round();
    expect((await ingestor.dump()).parkert_melding).toEqual([]);
    expect(await oldestDays()).toBe(0);
  });

  test('of unresolved ones the age is told, and after a year the bytes go, and a replay tells where the message is', async () => {
    await ingestor.ingest(batch([message(0, { startDato: 'x' })]));
    await age(364, 'parkert');
    await round();
    expect(await oldestDays()).toBe(364);
    const [before] = (await ingestor.dump()).parkert_melding;
    expect(before).toMatchObject({ verdi: expect.any(String), avtaler: [ID] });
    await age(367, 'parkert');
    await round();
    expect((await ingestor.dump()).parkert_melding).toEqual([
      { ...before, nokkel: null, verdi: null, avtaler: [], innhold_fjernet_aarsak: 'FRIST' },
    ]);
    expect(await oldestDays()).toBe(367);
    const { status, body } = await ingestor.call('POST', '/drift/v1/parkerte/1/spill-av');
    expect([status, body.detail]).toEqual([
      409,
      expect.stringMatching(/avtaler, partition 0, offset 0: a rebuild \(POST \/drift\/v1\/gjenoppbygging\)/),
    ]);
    const all = await ingestor.call('POST', '/drift/v1/parkerte/spill-av', { alle: true });
    expect(all.body).toEqual({ forsoekt: 0, spiltAv: 0, fortsattParkert: 0 });
    // Read from the topic again, it is still the one that is there.
    await ingestor.owner.query('update konsum_offset set neste_offset = 0');
    await ingestor.ingest(batch([message(0, { startDato: 'x' })]));
    expect((await ingestor.dump()).parkert_melding).toMatchObject([{ verdi: null, tilstand: 'PARKERT' }]);
    expect((await ingestor.call('POST', '/drift/v1/parkerte/1/forkast', { begrunnelse: 'ANNET' })).status).toBe(204);
  });

  test('one that is parked again after its avtale was deleted keeps no bytes', async () => {
    await ingestor.ingest(batch([message(0, { startDato: 'x' }), { offset: 1, key: Buffer.from(ID), value: null }]));
    await ingestor.owner.query('delete from parkert_melding; update konsum_offset set neste_offset = 0');
    await ingestor.ingest(batch([message(0, { startDato: 'x' })]));
    await round();
    expect((await ingestor.dump()).parkert_melding).toMatchObject([
      { tilstand: 'FORKASTET', begrunnelse: 'AVTALE_SLETTET', nokkel: null, verdi: null },
    ]);
  });
});
