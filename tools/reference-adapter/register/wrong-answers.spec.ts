import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createWorkDir, isValidOrgnr } from '@tiltak/testing';
import { RegisterCopy } from './copy.ts';
import { followFeeds, readAll, type Unread } from './read-register.ts';
import { RegisterApi, type Patience } from './register-api.ts';
import { json, packed, page, ScriptedRegister, silent } from './scripted-register.ts';
import { virksomhetOf, type Virksomhet } from './virksomhet.ts';

/**
 * What a register may answer that is not as it should be. Of each: what is wrong is named, without what it says; nothing
 * is lost; and the next run, when the register is right again, goes on.
 */
const { directory, clean } = createWorkDir('feil-svar');
const [A, B, C] = ['310000007', '310000015', '310000023'] as const;
const SECRET = 'HEMMELIG PERSONNAVN';
const BROKEN = { enheter: 'enheter/lastned', feed: 'oppdateringer/enheter' };
let register: ScriptedRegister;
let copy: RegisterCopy;
let runs = 0;

beforeEach(async () => {
  register = await ScriptedRegister.start();
  copy = new RegisterCopy(join(directory, `${String(runs++)}.sqlite`));
  register.file = [unit(A), unit(B), unit(C)];
  for (const one of register.file) register.units.set(String(one['organisasjonsnummer']), one);
});
afterEach(() => {
  copy.close();
  register.stop();
});
afterAll(clean);

const unit = (organisasjonsnummer: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  organisasjonsnummer,
  navn: SECRET,
  organisasjonsform: { kode: 'AS' },
  ...more,
});
const source = (patience: Partial<Patience> = {}): RegisterApi =>
  new RegisterApi(register.url, { firstPause: 1, longestPause: 2, ...patience });
const all = (patience?: Partial<Patience>): Promise<Unread> => readAll(source(patience), copy, directory);
const feeds = (patience?: Partial<Patience>): Promise<Unread> => followFeeds(source(patience), copy);
const stored = (): Record<string, Virksomhet> =>
  Object.fromEntries(copy.page('', 1_000).map(({ nr, innhold }) => [nr, JSON.parse(innhold) as Virksomhet]));

/** As an answer to one question may be wrong for good: each time it is asked. */
const always = <T>(answer: T): T[] => Array.from({ length: 8 }, () => answer);

async function saidBy(run: Promise<unknown>): Promise<string> {
  const said = await run.then(
    () => 'nothing was wrong',
    (error: Error) => error.message,
  );
  expect(said).not.toContain(SECRET);
  return said;
}

const FILE = JSON.stringify(Array.from({ length: 400 }, (_, n) => unit(String(310_000_000 + n))));

test.each([
  [
    'cut short',
    gzipSync(FILE).subarray(0, 300),
    {},
    /^The file of enheter can not be read after \d+ units: unexpected end/,
  ],
  [
    'not JSON from the middle',
    gzipSync(FILE.replace(`"310000200","navn":"`, '$&"')),
    {},
    /of enheter can not be read after/,
  ],
  ['a list that does not end', gzipSync(FILE.slice(0, -1)), {}, /of enheter can not be read after/],
  ['no list', gzipSync('{"a":[]}'), {}, /of enheter can not be read after 0 units: .*array/],
  [
    'a page for people',
    Buffer.from(`<html>${SECRET}</html>`),
    { 'content-type': 'text/html' },
    /neither gzip nor a list; the register calls it text\/html/,
  ],
  ['empty', Buffer.alloc(0), {}, /neither gzip nor a list/],
])('a file that is %s is told of, and the next one is read', async (_, bytes, headers, told) => {
  register.instead.set(BROKEN.enheter, [packed(bytes, register.made, headers)]);
  expect(await saidBy(all())).toMatch(told);
  expect(await all()).toEqual({ count: 0, told: [] });
  expect(Object.keys(stored())).toEqual(expect.arrayContaining([A, B, C]));
});

test('a file that was packed for the way alone is read', async () => {
  const answer = packed(gzipSync(JSON.stringify(register.file)), register.made, { 'content-encoding': 'gzip' });
  register.instead.set(BROKEN.enheter, [answer]);
  await all();
  expect(Object.keys(stored())).toEqual([A, B, C]);
});

test('units that nobody can read are asked for by themselves, but not when the whole file has another form', async () => {
  register.file = [unit(A, { navn: 1 }), unit(B), unit(C)];
  expect(await all()).toEqual({ count: 0, told: [] });
  expect(Object.keys(stored())).toEqual([A, B, C]);
  register.file = Array.from({ length: 1_200 }, (_, n) => unit(String(320_000_000 + n), { navn: { tekst: SECRET } }));
  const before = register.asked.length;
  expect(await saidBy(all())).toMatch(/unit 1001: navn must be text/);
  expect(register.asked.length - before).toBeLessThan(10);
});

test('a register that says nothing for too long is asked again, and not for ever', async () => {
  const whole = gzipSync(JSON.stringify(register.file));
  register.instead.set(BROKEN.enheter, [silent(whole.subarray(0, 20)), silent()]);
  await all({ slowest: 250 });
  expect(Object.keys(stored())).toEqual([A, B, C]);
  register.tell(A, '2026-01-06T00:00:00Z');
  register.instead.set(BROKEN.feed, always(silent()));
  expect(await saidBy(feeds({ slowest: 20 }))).toBe(
    'The register did not answer oppdateringer/enheter: it took too long',
  );
  register.instead.set(BROKEN.enheter, always(silent(whole.subarray(0, 20))));
  const download = source({ slowest: 20 }).download('enheter', join(directory, 'stille'));
  expect(await saidBy(download)).toBe('Nothing more came of enheter/lastned for 0.02 s');
  expect(await feeds()).toEqual({ count: 0, told: [] });
});

test.each([
  ['3600', { longest: 100, least: 150 }],
  [new Date(Date.now() + 3_600_000).toUTCString(), { longest: 100, least: 150 }],
  [new Date(0).toUTCString(), { longest: 3_600_000, least: 0 }],
  ['soon', { longest: 3_600_000, least: 0 }],
])(
  '429 and 503 with Retry-After %s: it waits as long as it is asked to, at most',
  async (asked, { longest, least }) => {
    const headers = { 'retry-after': asked };
    register.instead.set(BROKEN.feed, [json(429, {}, headers)]);
    register.instead.set(BROKEN.enheter, [json(503, {}, headers)]);
    const begun = performance.now();
    await all({ longestRetryAfter: longest });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(least);
    expect(Object.keys(stored())).toEqual([A, B, C]);
  },
);

test('a register that refuses for good is named by its answer and address', async () => {
  register.instead.set(BROKEN.feed, always(json(503, {})));
  expect(await saidBy(all())).toBe('The register answered 503 to oppdateringer/enheter');
  expect(await all()).toEqual({ count: 0, told: [] });
});

describe('a feed', () => {
  beforeEach(async () => {
    await all();
    register.units.set(A, unit(A, { navn: 'NYTT' }));
    register.tell(A, '2026-01-06T00:00:00Z');
  });

  test('that comes with the same page again ends there, and goes on when it is right', async () => {
    await feeds();
    register.units.set(B, unit(B, { navn: 'NYTT' }));
    register.tell(B, '2026-01-06T00:00:01Z');
    register.instead.set(BROKEN.feed, [page('enheter', register.feeds.enheter.slice(0, 1))]);
    expect(await saidBy(feeds())).toMatch(/^oppdateringer\/enheter answers with what lies before the oppdateringsid/);
    await feeds();
    expect(stored()[B]).toMatchObject({ navn: 'NYTT' });
  });

  test('whose ids go backwards is read whole, and no line twice', async () => {
    register.units.set(B, unit(B, { navn: 'NYTT' }));
    register.tell(B, '2026-01-06T00:00:01Z');
    register.instead.set(BROKEN.feed, [page('enheter', register.feeds.enheter.toReversed())]);
    await feeds();
    expect(stored()).toMatchObject({ [A]: { navn: 'NYTT' }, [B]: { navn: 'NYTT' } });
    expect(copy.position('enheter')).toBe(3);
  });

  test.each([
    ['oppdateringsid', { oppdateringsid: '1' }],
    ['dato', { dato: SECRET }],
    ['organisasjonsnummer', { organisasjonsnummer: SECRET }],
    ['endringstype', { endringstype: null }],
  ])('with a line whose %s can not be read ends there, and passes none by', async (member, wrong) => {
    const [line] = register.feeds.enheter;
    register.instead.set(BROKEN.feed, always(page('enheter', [{ ...line, ...wrong }])));
    expect(await saidBy(feeds())).toBe(`oppdateringer/enheter: ${member} of line 1 can not be read`);
    await feeds();
    expect(stored()[A]).toMatchObject({ navn: 'NYTT' });
  });

  test('that is no list, or no JSON, is told of', async () => {
    register.instead.set(BROKEN.feed, always(page('enheter', { a: SECRET })));
    expect(await saidBy(feeds())).toBe('oppdateringer/enheter: _embedded.oppdaterteEnheter must be a list');
    register.instead.set(BROKEN.feed, always(packed(Buffer.from(SECRET), undefined, { 'content-type': 'text/html' })));
    expect(await saidBy(feeds())).toBe(
      "The register's answer to oppdateringer/enheter is not JSON; it calls it text/html",
    );
    await feeds();
    expect(stored()[A]).toMatchObject({ navn: 'NYTT' });
  });

  test('whose clock is ahead gives no time that nothing would be newer than', async () => {
    register.tell(B, '2926-01-01T00:00:00Z');
    await feeds();
    const times = copy.page('', 10).map(({ sist_endret: time }) => Date.parse(time));
    expect(Math.max(...times)).toBeLessThanOrEqual(Date.now());
    register.units.set(B, unit(B, { navn: 'SENERE' }));
    register.tell(B, '2926-01-01T00:00:01Z');
    await feeds();
    expect(stored()[B]).toMatchObject({ navn: 'SENERE' });
  });
});

test('a feed that has told of nothing yet can be followed after the first file', async () => {
  await all();
  register.units.set(A, unit(A, { navn: 'NYTT' }));
  register.tell(A, '2026-01-06T00:00:00Z');
  await feeds();
  expect(stored()[A]).toMatchObject({ navn: 'NYTT' });
});

test('a unit that is struck off, and one that is removed, come again', async () => {
  await all();
  register.units.set(A, { organisasjonsnummer: A, navn: SECRET, slettedato: '2026-01-06' });
  register.units.set(B, 'REMOVED');
  register.tell(A, '2026-01-06T00:00:00Z', 'Sletting');
  register.tell(B, '2026-01-06T00:00:00Z', 'Fjernet');
  await feeds();
  expect(stored()).toMatchObject({ [A]: { slettetDato: '2026-01-06', organisasjonsform: 'AS' } });
  expect([stored()[B], copy.removed(10)]).toEqual([undefined, [B]]);
  for (const nr of [A, B]) {
    register.units.set(nr, unit(nr, { navn: 'IGJEN' }));
    register.tell(nr, '2026-01-07T00:00:00Z');
  }
  await feeds();
  expect(stored()).toMatchObject({ [A]: { navn: 'IGJEN', slettetDato: null }, [B]: { navn: 'IGJEN' } });
  expect(copy.removed(10)).toEqual([]);
});

test('what is in no file is deleted by a full sync alone, unless the register says that it is removed', async () => {
  register.file = Array.from({ length: 20 }, (_, n) => unit(String(310_000_000 + n)));
  for (const one of register.file) register.units.set(String(one['organisasjonsnummer']), one);
  await all();
  register.file = register.file.slice(2);
  register.made = new Date('2026-01-12T04:00:00Z');
  register.units.delete('310000000');
  register.units.set('310000001', 'REMOVED');
  await all();
  expect(Object.keys(stored())).toHaveLength(18);
  expect(copy.removed(10)).toEqual(['310000001']);
});

test('units above each other in a ring, members that nobody knows, odd names and wrong check digits are read as they are', async () => {
  const odd = 'Å "B" & <C> \u202e💥\n\'; drop table enhet; --';
  const wrongDigit = '310000001';
  expect(isValidOrgnr(wrongDigit)).toBe(false);
  register.file = [
    unit(A, { overordnetEnhet: B, navn: odd, ukjent: { dypt: [SECRET] }, ['__proto__']: { navn: 1 } }),
    unit(B, { overordnetEnhet: A, navn: '' }),
    unit(C, { overordnetEnhet: C, navn: 'x'.repeat(999) + '💥' }),
    unit(wrongDigit),
  ];
  expect(await all()).toEqual({ count: 0, told: [] });
  expect(stored()).toMatchObject({
    [A]: { overordnetEnhet: B, navn: odd },
    [B]: { overordnetEnhet: A, navn: '' },
    [C]: { overordnetEnhet: C },
    [wrongDigit]: { organisasjonsnummer: wrongDigit },
  });
  expect(Object.keys(stored()[A] ?? {})).toEqual(Object.keys(virksomhetOf({ organisasjonsnummer: A })));
});

test.each([
  ['navn', { navn: `${SECRET}\0` }],
  ['navn', { navn: `${SECRET}\ud800` }],
  ['navn', { navn: 'x'.repeat(1_001) }],
  ['navn', { navn: [SECRET] }],
  ['slettedato', { slettedato: '2026-02-30' }],
  ['overordnetEnhet', { overordnetEnhet: '31000000' }],
  ['organisasjonsform', { organisasjonsform: SECRET }],
  ['naeringskode1.kode', { naeringskode1: { kode: 47 } }],
  ['postadresse.kommunenummer', { postadresse: { kommunenummer: 301 } }],
  ['organisasjonsnummer', { organisasjonsnummer: B }],
])(
  'a unit whose %s can not be kept holds no other, stays as it was, and is read when it can be',
  async (member, wrong) => {
    await all();
    register.units.set(A, unit(A, wrong));
    register.units.set(B, unit(B, { navn: 'NYTT' }));
    register.tell(A, '2026-01-06T00:00:00Z');
    register.tell(B, '2026-01-06T00:00:00Z');
    const { count, told } = await feeds();
    expect([count, told.length]).toEqual([1, 1]);
    expect(told[0]).toMatch(new RegExp(`^enheter/${A}: ${member.replace('.', '\\.')} `));
    expect(told.join()).not.toContain(SECRET);
    expect(stored()).toMatchObject({ [A]: { navn: SECRET }, [B]: { navn: 'NYTT' } });
    register.units.set(A, unit(A, { navn: 'RETTET' }));
    expect(await feeds()).toEqual({ count: 0, told: [] });
    expect(stored()[A]).toMatchObject({ navn: 'RETTET' });
  },
);

test('one run at a time has the copy', () => {
  const file = join(directory, 'en.sqlite');
  const first = new RegisterCopy(file);
  expect(() => new RegisterCopy(file)).toThrow(/^Another run of the adapter has .* open: one at a time$/);
  first.close();
  new RegisterCopy(file).close();
});
