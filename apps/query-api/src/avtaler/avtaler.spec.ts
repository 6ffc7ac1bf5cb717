import { AVTALESTATUSER } from '@tiltak/avtale';
import fc from 'fast-check';
import { deltakerId, startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
const KARI = '10000000001';
const OLA = '10000000002';
const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
  await api.insertAvtale({
    avtale_id: id(1),
    avtale_nr: 1,
    deltaker_fnr: KARI,
    bedrift_nr: '910825518',
    bedrift_navn: 'A',
    tiltakstype: 'MENTOR',
    avtale_status: 'GJENNOMFØRES',
    start_dato: '2026-01-01',
    slutt_dato: '2026-06-30',
    avtale_inngaatt: '2025-12-24T11:00:00.123456Z',
    stillingstype: 'FAST',
    opphav: 'ARENA',
    versjon: 2,
    godkjent_paa_vegne_av: true,
    godkjent_paa_vegne_av_arbeidsgiver: false,
  });
  await api.insertAvtale({
    avtale_id: id(2),
    avtale_nr: 2,
    deltaker_fnr: KARI,
    bedrift_nr: '910712330',
    tiltakstype: 'NYTT',
    avtale_status: 'PÅ_VENT',
    start_dato: '2026-07-01',
    slutt_dato: null,
    sist_endret: '2026-03-01T12:00:00.000001Z',
  });
  await api.insertAvtale({
    avtale_id: id(3),
    avtale_nr: null,
    deltaker_fnr: OLA,
    bedrift_nr: '',
    tiltakstype: 'SOMMERJOBB',
    avtale_status: 'PÅBEGYNT',
  });
  await api.insertAvtale({ avtale_id: id(4), deltaker_fnr: null, bedrift_nr: null });
  await api.insertAvtale({ avtale_id: id(5), deltaker_fnr: KARI, feilregistrert: true, avtale_nr: 5 });
  await api.insertAvtale({ avtale_id: id(6), slettet: 'GRAVSTEIN' });
});
afterAll(() => api.stop());

const search = async (body: Record<string, unknown>): Promise<number[]> => {
  const response = await api.call('POST', '/api/v1/avtaler/sok', { body });
  expect([response.status, response.body.detail]).toEqual([200, undefined]);
  return response.body.avtaler.map(({ avtaleId }: { avtaleId: string }) => Number(avtaleId.slice(-12)));
};

describe('sokAvtaler', () => {
  test.each([
    [{}, [1, 2, 3, 4]],
    [{ personidenter: [KARI] }, [1, 2]],
    [{ personidenter: [KARI, OLA, '99999999999'] }, [1, 2, 3]],
    [{ bedriftsnumre: ['910825518'] }, [1]],
    [{ bedriftsnumre: ['910825518'], personidenter: [OLA] }, []],
    [{ avtaleIder: [3, 1, 99].map(id) }, [1, 3]],
    [{ avtaleIder: [5, 6].map(id) }, []],
    [{ avtaleIder: [1, 3].map(id), personidenter: [KARI] }, [1]],
    [{ tiltakstyper: ['MENTOR', 'SOMMERJOBB'] }, [1, 3]],
    [{ tiltakstyper: ['UKJENT'] }, [2]],
    [{ statuser: ['UKJENT', 'PAABEGYNT'] }, [2, 3]],
    [{ statuser: ['GJENNOMFORES'] }, [1]],
    [{ periode: { fra: '2026-06-30', til: '2026-06-30' } }, [1]],
    [{ periode: { fra: '2026-06-30', til: '2026-07-01' } }, [1, 2]],
    [{ periode: { fra: '2030-01-01', til: '2030-01-01' } }, [2]],
    [{ periode: { fra: '2026-07-01' } }, [2]],
    [{ periode: { til: '2026-06-30' } }, [1]],
    [{ endretEtter: '2026-03-01T13:00:00.000000+01:00' }, [2]],
    [{ endretEtter: '2026-03-01T12:00:00.000001Z' }, []],
    [{ endretEtter: '2026-03-02T11:00:00+23:00' }, [2]],
  ])('%j finds %j', async (filter, found) => expect(await search(filter)).toEqual(found));

  test('never what is wrongly registered or deleted', async () => {
    for (const n of [5, 6]) expect((await api.call('GET', `/api/v1/avtaler/${id(n)}`)).status).toBe(404);
    expect((await api.call('GET', '/api/v1/avtaler/nummer/5')).status).toBe(404);
  });

  test('pages of any size give every avtale once, whatever the search', async () => {
    const filter = fc.record(
      {
        personidenter: fc.constant([KARI, OLA]),
        statuser: fc.uniqueArray(fc.constantFrom(...AVTALESTATUSER), { minLength: 1 }),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(filter, fc.integer({ min: 1, max: 3 }), async (searched, count) => {
        const found: string[] = [];
        let next: string | undefined;
        do {
          const { body } = await api.call('POST', '/api/v1/avtaler/sok', {
            body: { ...searched, antall: count, ...(next ? { neste: next } : {}) },
          });
          expect(body.avtaler.length).toBeLessThanOrEqual(count);
          found.push(...body.avtaler.map((avtale: { avtaleId: string }) => avtale.avtaleId));
          next = body.neste;
        } while (next);
        expect(found.map((avtaleId) => Number(avtaleId.slice(-12)))).toEqual(await search(searched));
      }),
      { numRuns: 25 },
    );
  });

  test.each([
    ['sok', {}],
    ['utdrag', { felter: ['avtaleId'] }],
  ])('of %s, a criterion that is null is as good as none', async (operation, more) => {
    const ask = (body: object): ReturnType<typeof api.call> =>
      api.call('POST', `/api/v1/avtaler/${operation}`, { body: { ...more, ...body } });
    const all = await ask({ statuser: ['GJENNOMFORES'], faser: ['PAAGAAR'] });
    const names = [
      'personidenter',
      'bedriftsnumre',
      'hovedenhet',
      'avtaleIder',
      'tiltakstyper',
      'faseDato',
      'periode',
      'endretEtter',
    ];
    const none = Object.fromEntries([...names, 'gjeldendePer', 'neste', 'antall'].map((name) => [name, null]));
    const { status, body } = await ask({ ...none, statuser: ['GJENNOMFORES'], faser: ['PAAGAAR'] });
    expect([status, body]).toEqual([200, all.body]);
    expect(await ask({ statuser: [null] })).toMatchObject({ status: 400, body: { feil: [{ felt: 'statuser' }] } });
  });

  test('a cursor that is made up or of another search is a 400 that names it', async () => {
    const { body } = await api.call('POST', '/api/v1/avtaler/sok', { body: { antall: 1 } });
    const error = async (next: string, rest = {}): Promise<unknown> => {
      const response = await api.call('POST', '/api/v1/avtaler/sok', { body: { antall: 1, neste: next, ...rest } });
      return [response.status, response.body.feil];
    };
    const refused = [400, [{ felt: 'neste', melding: expect.stringContaining('begin again without it') }]];
    expect(await error(body.neste, { statuser: ['AVSLUTTET'] })).toEqual(refused);
    expect(await error('tull')).toEqual(refused);
    // As cursors were before they were sealed.
    expect(await error(Buffer.from(`abcdefghijklmnop${id(1)}`).toString('base64url'))).toEqual(refused);
    // The order of the criteria is not part of the search.
    const to = await api.call('POST', '/api/v1/avtaler/sok', {
      body: { statuser: ['GJENNOMFORES', 'PAABEGYNT'], personidenter: [KARI, OLA], antall: 1 },
    });
    const page2 = await api.call('POST', '/api/v1/avtaler/sok', {
      body: { neste: to.body.neste, antall: 5, personidenter: [KARI, OLA], statuser: ['GJENNOMFORES', 'PAABEGYNT'] },
    });
    expect([page2.status, page2.body.avtaler.length]).toEqual([200, 1]);
  });

  test.each([
    [
      'personidenter',
      { personidenter: ['1234567890'] },
      'must be eleven digits; not so at position 0 (the first is 0)',
    ],
    [
      'personidenter',
      { personidenter: [KARI, 'x', OLA, 7] },
      'must be eleven digits; not so at position 1, 3 (the first is 0)',
    ],
    ['personidenter', { personidenter: [] }, 'should not be empty|must contain at least 1 elements'],
    [
      'personidenter',
      { personidenter: Array.from({ length: 1_001 }, () => KARI) },
      'must contain no more than 1000 elements',
    ],
    ['personidenter', { personidenter: KARI }, 'must be an array'],
    [
      'bedriftsnumre',
      { bedriftsnumre: ['', '1'.repeat(21), '\u0000'] },
      'must be 1 to 20 characters; not so at position 0, 1, 2',
    ],
    ['avtaleIder', { avtaleIder: [id(1), 'x'] }, 'must be a UUID; not so at position 1'],
    ['avtaleIder', { avtaleIder: Array.from({ length: 1_001 }, (_, n) => id(n)) }, 'no more than 1000'],
    ['tiltakstyper', { tiltakstyper: ['TULL'] }, 'must be of ARBEIDSTRENING'],
    ['statuser', { statuser: ['PÅBEGYNT'] }, 'must be of ANNULLERT'],
    ['periode.fra', { periode: { fra: '2026-02-30', til: '2026-03-01' } }, 'must be a date that exists'],
    ['periode.til', { periode: { fra: '2026-03-02', til: '2026-03-01' } }, 'must not be before fra'],
    ['periode', { periode: {} }, 'must have fra, til or both'],
    ['periode', { periode: { fra: null } }, 'must have fra, til or both'],
    ['periode', { periode: 'alltid' }, 'object'],
    ['periode', { periode: [{ fra: '2026-03-01', til: '2026-03-02' }] }, 'must be an object'],
    ['endretEtter', { endretEtter: '2026-01-01T00:00:00' }, 'must be a moment with offset'],
    ['endretEtter', { endretEtter: '2026-01-01T00:00:00+24:00' }, 'must be a moment with offset'],
    ['gjeldendePer', { gjeldendePer: '2026-01-01T00:00:00+00:60' }, 'must be a moment with offset'],
    ['antall', { antall: 0 }, 'must not be less than 1'],
    ['antall', { antall: 1_001 }, 'must not be greater than 1000'],
    ['antall', { antall: '5' }, 'must be an integer number'],
    ['neste', { neste: 5 }, 'must be a string'],
    ['ukjent', { ukjent: 1 }, 'is not a known property'],
    ['__proto__', '{"__proto__": {"a": 1}}', ''],
  ])('%s is named when it is wrong: %j', async (field, body, message) => {
    const response = await api.call('POST', '/api/v1/avtaler/sok', { body });
    expect(response.status).toBe(400);
    if (message)
      expect(response.body.feil).toContainEqual({
        felt: field,
        melding: expect.stringMatching(new RegExp(message.replace(/[()]/g, '\\$&'))),
      });
    expect(JSON.stringify(response.body)).not.toMatch(/\d{11}/);
  });
});

describe('an avtale', () => {
  test('has every field, in the form that is published', async () => {
    const { status, headers, body } = await api.call('GET', `/api/v1/avtaler/${id(1)}`);
    expect([status, headers.get('cache-control')]).toEqual([200, 'private, no-cache']);
    expect(body).toEqual({
      avtaleId: id(1),
      avtaleNr: 1,
      deltakerFnr: KARI,
      bedriftNr: '910825518',
      bedriftNavn: 'A',
      veilederNavIdent: null,
      tiltakstype: 'MENTOR',
      versjon: 2,
      avtaleStatus: 'GJENNOMFORES',
      avtaleInngaatt: '2025-12-24T11:00:00.123456Z',
      startDato: '2026-01-01',
      sluttDato: '2026-06-30',
      stillingprosent: null,
      antallDagerPerUke: null,
      stillingstype: 'FAST',
      godkjentAvDeltaker: null,
      godkjentAvArbeidsgiver: null,
      godkjentAvVeileder: null,
      godkjentAvBeslutter: null,
      godkjentAvNavIdent: null,
      godkjentAvBeslutterNavIdent: null,
      godkjentPaaVegneAv: true,
      godkjentPaaVegneAvArbeidsgiver: false,
      opphav: 'ARENA',
      opprettetTidspunkt: null,
      annullertTidspunkt: null,
      sistEndret: '2026-01-01T00:00:00Z',
      // It ended before any day on which this runs.
      fase: 'AVSLUTTET',
      // Nothing is known of the employer, who has a link all the same.
      hovedenhet: null,
      _links: {
        self: { href: `/api/v1/avtaler/${id(1)}` },
        deltaker: { href: `/api/v1/deltakere/${deltakerId(KARI)}/avtaler` },
        bedrift: { href: '/api/v1/bedrifter/910825518/avtaler' },
        virksomhet: { href: '/api/v1/virksomheter/910825518' },
      },
    });
  });

  test('with values unknown today shows UKJENT, and leaves out a code that the source left empty', async () => {
    expect((await api.call('GET', '/api/v1/avtaler/nummer/2')).body).toMatchObject({
      tiltakstype: 'UKJENT',
      avtaleStatus: 'UKJENT',
    });
    const { body } = await api.call('GET', `/api/v1/avtaler/${id(4)}`);
    expect(Object.keys(body)).not.toContain('tiltakstype');
    expect(body._links).toEqual({ self: { href: `/api/v1/avtaler/${id(4)}` } });
  });

  test('leads to those it is related to, and only to what may be seen', async () => {
    const rel = (n: number, relation: string, to: number): Promise<unknown> =>
      api.owner.query('insert into relasjon values ($1, $2, $3, $4)', [deltakerId(KARI), id(n), relation, id(to)]);
    for (const to of [2, 5, 6]) await rel(1, 'samtidige', to);
    await rel(1, 'neste', 2);
    await rel(1, 'mentorFor', 2);
    await rel(2, 'forrige', 1);
    await rel(2, 'mentor', 1);
    await rel(2, 'samtidige', 1);
    const to = (n: number): { href: string } => ({ href: `/api/v1/avtaler/${id(n)}` });
    const { body } = await api.call('GET', `/api/v1/avtaler/${id(1)}`);
    const { self, deltaker, bedrift, virksomhet, ...others } = body._links;
    expect([self, deltaker, bedrift, virksomhet].every(Boolean)).toBe(true);
    expect(others).toEqual({ neste: to(2), samtidige: [to(2)], mentorFor: [to(2)] });
    for (const [method, path] of [
      ['POST', '/api/v1/avtaler/sok'],
      ['GET', deltaker.href],
    ]) {
      const response = await api.call(method, path, method === 'POST' ? { body: { personidenter: [KARI] } } : {});
      expect(response.body.avtaler[0]).toEqual(body);
      expect(response.body.avtaler[1]._links).toMatchObject({ forrige: to(1), samtidige: [to(1)], mentor: [to(1)] });
    }
    await api.owner.query('delete from relasjon');
  });

  test('names ten of each relation, and leads to where all of them are', async () => {
    const { insertAvtale, owner } = api;
    const others = Array.from({ length: 12 }, (_, n) => id(100 + n));
    for (const avtaleId of others) await insertAvtale({ avtale_id: avtaleId, deltaker_fnr: KARI });
    const relate = (relation: string, to: readonly string[]): Promise<unknown> =>
      owner.query('insert into relasjon select $1, $2, $3, unnest($4::uuid[])', [
        ...[deltakerId(KARI), id(1), relation],
        to,
      ]);
    await relate('samtidige', others.slice(0, 10));
    await relate('neste', others.slice(0, 1));
    const links = async (): Promise<Record<string, unknown>> =>
      (await api.call('GET', `/api/v1/avtaler/${id(1)}`)).body._links;
    const to = (avtaleIds: readonly string[]): unknown => avtaleIds.map((it) => ({ href: `/api/v1/avtaler/${it}` }));
    expect(await links()).not.toHaveProperty('flere');
    await relate('mentorFor', others);
    const cut = await links();
    expect([cut['samtidige'], cut['mentorFor'], cut['flere']]).toEqual([
      to(others.slice(0, 10)),
      to(others.slice(0, 10)),
      cut['deltaker'],
    ]);
    await owner.query('delete from relasjon');
    await owner.query('delete from avtale where avtale_id = any($1)', [others]);
  });

  test('leads to the other avtaler of its participant and employer', async () => {
    const { body } = await api.call('GET', `/api/v1/avtaler/${id(1)}`);
    const deltakers = await api.call('GET', `${body._links.deltaker.href}?antall=1`);
    expect(deltakers.body.avtaler).toMatchObject([{ avtaleId: id(1) }]);
    const page2 = await api.call('GET', `${body._links.deltaker.href}?antall=1&neste=${deltakers.body.neste}`);
    expect(page2.body).toMatchObject({ avtaler: [{ avtaleId: id(2) }] });
    expect((await api.call('GET', body._links.bedrift.href)).body.avtaler).toHaveLength(1);
    expect((await api.call('GET', `${body._links.deltaker.href}?antall=x`)).body.feil).toMatchObject([
      { felt: 'antall' },
      {},
      {},
    ]);
  });
});
