import { createHook } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { syntheticFnr } from '@tiltak/testing';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { inPieces, pieces } from './in-pieces.ts';

const PIECE = 100;

test('what is written in pieces is what JSON.stringify writes', async () => {
  const element = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }));
  const rest = fc.dictionary(fc.string(), fc.option(fc.jsonValue(), { nil: undefined }), { maxKeys: 4 });
  await fc.assert(
    fc.asyncProperty(
      rest,
      fc.array(element, { maxLength: 5 }),
      fc.nat(350),
      rest,
      async (before, some, count, after) => {
        const list = Array.from({ length: count }, (_, i) => some[i % Math.max(1, some.length)] ?? i);
        // An object with its names as own ones, `__proto__` too.
        const own = (members: object): object =>
          Object.fromEntries(Object.entries(members).filter(([name]) => name !== 'list'));
        const answer: { list: unknown[] } = { ...own(before), list, ...own(after) };
        const { bytes } = await inPieces<{ list: unknown[] }>({ ...answer, list: pieces(list, (one) => one) });
        expect(bytes.toString()).toBe(JSON.stringify(answer));
      },
    ),
    { numRuns: 25 },
  );
});

test('others have their turn between the pieces', async () => {
  let turn = 0;
  let done = false;
  const others = (async () => {
    for (; !done; turn++) await nextTurn();
  })();
  const madeIn = new Map<number, number>();
  await inPieces<{ list: number[] }>({
    list: pieces(Array.from({ length: 1_000 }), () => {
      madeIn.set(turn, (madeIn.get(turn) ?? 0) + 1);
      return turn;
    }),
  });
  done = true;
  await others;
  expect([...madeIn.values()]).toEqual(Array.from({ length: 10 }, () => PIECE));
});

describe('an answer of the largest size', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
    await api.setFreshness(new Date());
    await api.owner.query(`
      insert into avtale (avtale_id, bedrift_nr, bedrift_navn, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
      select gen_random_uuid(), '910825518', 'x', false, now(), 0, n from generate_series(1, 1000) n`);
    await api.owner.query(`insert into endring (avtale_id, type) select avtale_id, 'ENDRET' from avtale`);
    await api.feedSeen();
  });
  afterAll(() => api.stop());

  const persons = Array.from({ length: 1_000 }, (_, n) => syntheticFnr(n));
  const avtaler = 'avtaleId bedriftNr tiltakstype';

  /** Turns of the event loop that were asked for while it was answered: between pieces nothing else asks for so many. */
  async function turnsOf(ask: () => Promise<{ body: unknown }>): Promise<{ turns: number; body: unknown }> {
    let turns = 0;
    const hook = createHook({ init: (_id, type) => void (turns += type === 'Immediate' ? 1 : 0) }).enable();
    try {
      const { body } = await ask();
      return { turns, body };
    } finally {
      hook.disable();
    }
  }

  test.each([
    ['sokAvtaler', 'POST', '/api/v1/avtaler/sok', { antall: 1_000 }, 'avtaler'],
    ['hentUtdrag', 'POST', '/api/v1/avtaler/utdrag', { antall: 1_000, felter: ['bedriftNavn'] }, 'avtaler'],
    ['hentTiltaksstatus', 'POST', '/api/v1/personer/tiltaksstatus', { personidenter: persons }, 'personer'],
    ['hentEndringer', 'GET', '/api/v1/endringer?antall=1000', undefined, 'endringer'],
    [
      'graphql',
      'POST',
      '/graphql',
      { query: `{ avtalerForBedrift(organisasjonsnummer: "910825518") { ${avtaler} } }` },
      undefined,
    ],
  ] as const)('%s lets others have their turn', async (_, method, path, body, list) => {
    const { turns, body: answer } = await turnsOf(() => api.call(method, path, body ? { body } : {}));
    const named = answer as Record<string, unknown[]>;
    const data = (answer as { data?: Record<string, unknown[]> }).data ?? {};
    expect(list === undefined ? Object.values(data)[0] : named[list]).toHaveLength(1_000);
    expect(turns).toBeGreaterThanOrEqual(9);
  });

  test('is told with its type and its length, and as any other answer', async () => {
    // As it stands: fetch asks for it compressed, and then that is what the length is of.
    const asItStands = { body: { antall: 1_000 }, headers: { 'accept-encoding': 'identity' } };
    const { headers, body } = await api.call('POST', '/api/v1/avtaler/sok', asItStands);
    expect(headers.get('content-encoding')).toBeNull();
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('transfer-encoding')).toBeNull();
    expect(Number(headers.get('content-length'))).toBe(Buffer.byteLength(JSON.stringify(body)));
  });
});
