import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GiveWay, Pieces } from '../../background/give-way.ts';
import { DELTAKERE_IN_PIECE } from '../../relations/check.ts';
import { batch, ID, message } from '../../testing/test-ingest.ts';
import { startTestIngestor, type TestIngestor } from '../../testing/test-ingestor.ts';
import { parseOrganisasjoner, readOrganisasjoner } from '../organisasjoner/organisasjoner.ts';
import { RelationCheck } from '../relation-check/relation-check.job.ts';
import { csvRow } from '../report-file.ts';
import { judge, worst, type Findings } from './checks.ts';
import { Measurements } from './measurements.job.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const WELL: Findings = {
  ageSeconds: 0.4,
  updatedTo: NOW,
  lag: 0,
  parked: 0,
  oldestParked: null,
  held: 0,
  oldestHeld: null,
  gaps: 0,
  oldestGap: null,
  differences: 0,
  reconciledAt: null,
  reconciledAgeSeconds: null,
  rebuilds: 0,
  oldestRebuild: null,
  deviations: 0,
  checkedAt: null,
  now: NOW,
};
const DAY = 86_400;
const daysAgo = (days: number): Date => new Date(NOW.getTime() - days * DAY * 1_000);

test.each<[what: string, found: Partial<Findings>, expected: Record<string, string>]>([
  ['all is well', {}, {}],
  ['the first load is not done', { ageSeconds: null, updatedTo: null }, { DataErGamle: 'OBS' }],
  ['data is a minute old', { ageSeconds: 61 }, { DataErGamle: 'OBS' }],
  ['data is older than the alert allows', { ageSeconds: 301 }, { DataErGamle: 'FEIL' }],
  ['there is a backlog', { lag: 1_001 }, { Etterslep: 'OBS' }],
  ['the backlog is what wakes somebody', { lag: 10_001 }, { Etterslep: 'FEIL' }],
  ['a message is parked', { parked: 1, oldestParked: daysAgo(1) }, { MeldingerParkert: 'OBS' }],
  ['it has been for a month', { parked: 1, oldestParked: daysAgo(31) }, { MeldingerParkert: 'FEIL' }],
  ['a partition stands still', { held: 1, oldestHeld: NOW }, { PartisjonStanset: 'FEIL' }],
  ['messages were lost', { gaps: 1, oldestGap: NOW }, { HullIMeldingene: 'FEIL' }],
  ['the source and we differ', { differences: 2, reconciledAgeSeconds: 5 }, { Avstemmingsdifferanser: 'OBS' }],
  ['nobody has reconciled for long', { reconciledAgeSeconds: 8 * DAY + 1 }, { AvstemmingErGammel: 'OBS' }],
  ['a rebuild waits for somebody', { rebuilds: 1, oldestRebuild: NOW }, { GjenoppbyggingVenter: 'OBS' }],
  ['a relation is not right', { deviations: 1 }, { Relasjonsavvik: 'FEIL' }],
])('what needs somebody is told, and nothing else: %s', (_, found, expected) => {
  const checks = judge({ ...WELL, ...found }, null);
  const wrong = checks.filter(({ tilstand }) => tilstand !== 'BRA').map(({ kode, tilstand }) => [kode, tilstand]);
  expect(Object.fromEntries(wrong)).toEqual(expected);
  expect(worst(checks)).toBe(Object.values(expected)[0] ?? 'BRA');
});

describe('of a running ingestor', () => {
  let ingestor: TestIngestor;
  const sql = async <R>(text: string, values: unknown[] = []): Promise<R[]> => ingestor.owner.query<R[]>(text, values);
  beforeAll(async () => {
    ingestor = await startTestIngestor();
    await sql(`insert into konsum_offset (topic, partisjon, neste_offset) values ($1, 0, 100)`, [
      ingestor.ingestor.config.KAFKA_TOPIC,
    ]);
  });
  afterAll(() => ingestor.stop());

  test('each half minute is measured once, whoever measures, and kept for a day', async () => {
    const { pool, ingestor: app } = ingestor;
    await sql(`insert into driftsmaaling values (now() - interval '25 hours', 1, 1, 1)`);
    const two = [1, 2].map(() => new Measurements(pool, app.config.KAFKA_TOPIC));
    await Promise.all(two.map((one) => one.measure()));
    // They may have met on the border of two half minutes.
    const rows = await sql<{ n: number; times: number }>(
      'select count(*)::int as n, count(distinct tidspunkt)::int as times from driftsmaaling where lest = 100',
    );
    expect(rows[0]?.n).toBe(rows[0]?.times);
    expect(await sql('select from driftsmaaling where lest = 1')).toEqual([]);
    await sql('truncate driftsmaaling');
    await sql(
      `insert into driftsmaaling select now() - make_interval(secs => 30 * n), 0, 0.5, lest
       from (values (3, 100), (2, 160), (1, 10)) as v(n, lest)`,
    );
    const { body } = await ingestor.call('GET', '/drift/v1/maalinger?timer=1');
    // The first has none before it, and the topic was made anew before the last.
    expect(body.maalinger.map(({ perSekund }: { perSekund: number | null }) => perSekund)).toEqual([null, 2, null]);
  });

  test('without a token it is told what needs somebody, and no more', async () => {
    const open = await ingestor.call('GET', '/internal/tilstand', undefined, null);
    expect(open.status).toBe(200);
    expect(Object.keys(open.body as object).sort()).toEqual([
      'dataOppdatert',
      'lest',
      'organisasjon',
      'sjekker',
      'tilstand',
    ]);
    for (const check of open.body.sjekker) expect(Object.keys(check as object).sort()).toEqual(['kode', 'tilstand']);
    for (const path of ['tilstand', 'maalinger', 'organisasjoner', 'relasjonskontroll']) {
      expect((await ingestor.call('GET', `/drift/v1/${path}`, undefined, null)).status).toBe(401);
    }
  });

  test('a check of the relations is done once, by whoever is first, is audited, and its report is a file', async () => {
    const { body, status } = await ingestor.call('POST', '/drift/v1/relasjonskontroll', {});
    expect(status).toBe(202);
    expect((await ingestor.call('POST', '/drift/v1/relasjonskontroll', { rett: true })).status).toBe(409);
    const two = [1, 2].map(() => new RelationCheck(ingestor.pool, 24, ingestor.ingestor.giveWay));
    await Promise.all(two.map((one) => one.round()));
    await Promise.all(two.map((one) => one.round()));
    const { body: list } = await ingestor.call('GET', '/drift/v1/relasjonskontroll');
    expect(list.kontroller).toEqual([
      expect.objectContaining({ id: body.id, deltakere: 0, mangler: 0, avsluttet: expect.any(String) }),
    ]);
    expect(await sql('select handling, gjelder from driftshandling')).toEqual([
      { handling: 'KONTROLLER_RELASJONER', gjelder: body.id },
    ]);
    const { body: file } = await ingestor.call(
      'GET',
      `/drift/v1/relasjonskontroll/${String(body.id)}/rapport?form=JSON`,
    );
    expect(file).toEqual(expect.objectContaining({ id: body.id, avvik: [] }));
    // Nobody has asked, and it is time.
    await sql(`update relasjonskontroll set bestilt = bestilt - interval '25 hours'`);
    await Promise.all(two.map((one) => one.round()));
    expect(await sql('select startet_av, rett from relasjonskontroll order by id desc limit 1')).toEqual([
      { startet_av: 'tidsplan', rett: false },
    ]);
    expect(await sql('select count(*)::int as n from relasjonskontroll')).toEqual([{ n: 2 }]);
  });

  test('what a check of the relations has put right is told of, though its process is killed before it ends', async () => {
    await ingestor.empty();
    const own = (n: number): string => ID.slice(0, -1) + String(n);
    const start = { deltakerFnr: '1', bedriftNr: '910825518', tiltakstype: 'VTAO', startDato: '2026-01-01' };
    await ingestor.ingest(batch([1, 2].map((n) => message(n - 1, { ...start, avtaleId: own(n) }))));
    const links = await sql<unknown>('select from relasjon');
    expect(links.length).toBeGreaterThan(0);
    await sql('delete from relasjon; delete from relasjonskontroll');
    const { body } = await ingestor.call('POST', '/drift/v1/relasjonskontroll', { rett: true });
    const { giveWay } = ingestor.ingestor;
    const ending = new AbortController();
    const pieces = giveWay.inPieces(DELTAKERE_IN_PIECE);
    const each: Pieces['each'] = async (...args) => {
      await pieces.each(...args);
      ending.abort();
    };
    const endsWhenRight = {
      inPieces: () => Object.assign(Object.create(pieces) as Pieces, { each }),
    } as unknown as GiveWay;
    await new RelationCheck(ingestor.pool, 0, endsWhenRight).round(ending.signal);
    expect(await sql('select from relasjonskontroll where avsluttet is null')).toHaveLength(1);
    await new RelationCheck(ingestor.pool, 0, giveWay).round();
    const { body: list } = await ingestor.call('GET', '/drift/v1/relasjonskontroll');
    expect(list.kontroller).toEqual([expect.objectContaining({ id: body.id, mangler: links.length })]);
  });

  test('a check of the relations that fails is over: another can be asked for, and by itself it waits', async () => {
    await sql('delete from relasjonskontroll');
    const { body } = await ingestor.call('POST', '/drift/v1/relasjonskontroll', {});
    const check = new RelationCheck(ingestor.pool, 24, ingestor.ingestor.giveWay);
    await sql('alter table relasjon rename to relasjon_borte');
    try {
      await expect(check.round()).rejects.toThrow();
    } finally {
      await sql('alter table relasjon_borte rename to relasjon');
    }
    const reports = (): Promise<unknown> => sql('select id, feilet, startet_av from relasjonskontroll order by id');
    const failed = { id: body.id, feilet: true, startet_av: expect.any(String) };
    await check.round();
    expect(await reports()).toEqual([failed]);
    expect((await ingestor.call('GET', '/drift/v1/relasjonskontroll')).body.kontroller).toEqual([
      expect.objectContaining({ id: body.id, feilet: true, avsluttet: expect.any(String) }),
    ]);
    await sql(`update relasjonskontroll set avsluttet = avsluttet - interval '11 minutes'`);
    await check.round();
    expect(await reports()).toEqual([failed, expect.objectContaining({ feilet: false, startet_av: 'tidsplan' })]);
    expect((await ingestor.call('POST', '/drift/v1/relasjonskontroll', {})).status).toBe(202);
  });
});

test('another organisation is asked without a token, is shown under its own name only, and one that is silent is told of', async () => {
  const seen: IncomingHttpHeaders[] = [];
  let says: object = {};
  const server = createServer((request, response) => {
    seen.push(request.headers);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(says));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const listed = parseOrganisasjoner([`fylket=${url}|https://drift.example.no/`, 'borte=http://127.0.0.1:1']);
  const silent = { navn: 'borte', side: 'http://127.0.0.1:1', tilstand: undefined, dataOppdatert: null, sjekker: [] };
  says = {
    organisasjon: 'fylket',
    tilstand: 'OBS',
    dataOppdatert: 'i går',
    sjekker: [{ kode: '<b>', tilstand: 'OBS' }],
  };
  expect(await readOrganisasjoner(listed)).toEqual([
    { navn: 'fylket', side: 'https://drift.example.no', tilstand: 'OBS', dataOppdatert: null, sjekker: [] },
    silent,
  ]);
  says = { ...says, organisasjon: 'nav' };
  expect((await readOrganisasjoner(listed))[0]?.tilstand).toBeUndefined();
  for (const headers of seen) expect(headers).not.toHaveProperty('authorization');
  await new Promise((done) => server.close(done));
  expect(() => parseOrganisasjoner(['nav=javascript:alert(1)'])).toThrow('DRIFT_ORGANISASJONER');
});

test('a value in a report is a value, also in a spreadsheet', () => {
  expect(csvRow(['=1+1', 'a"b,c', null, -1])).toBe(`'=1+1,"a""b,c",,-1\r\n`);
});
