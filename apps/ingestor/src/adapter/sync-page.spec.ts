import { createHash } from 'node:crypto';
import { FIELDS as TABLE, parseMessage, readabilityAt, reduceMessage, type JsonObject } from '@tiltak/avtale';
import { JsonList, Problem, type FieldError } from '@tiltak/platform';
import fc from 'fast-check';
import { parsePage, type SyncPage } from './sync-page.ts';

const ID = '5f0c0d3e-1d6b-4c57-9a44-0e0a6b1f2d11';

/** As the body's own parser gives it. */
function listOf(entries: readonly string[]): JsonList {
  let text = '[';
  const entryStarts = entries.map((entry) => {
    const start = text.length;
    text += `${entry},`;
    return start;
  });
  text = `${text.replace(/,$/, '')}]`;
  // In bytes: what is not ASCII is escaped.
  return new JsonList(Buffer.from(text, 'latin1'), { start: 0, end: text.length, entryStarts });
}

const read = (...entries: string[]): Promise<SyncPage> =>
  parsePage('FULL', {
    metadata: { synkId: 's', side: 1, antallSider: 1, antallTotalt: entries.length },
    ressurser: listOf(entries),
  });

async function faultsOf(entry: string): Promise<readonly FieldError[] | undefined> {
  try {
    await read(entry);
    return undefined;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.extras.feil ?? [];
  }
}

const ascii = (json: string): string =>
  json.replaceAll(/[^\x20-\x7e]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** JSON that may stand in a field, as text: a value can't say 1e400, or which spelling it had. */
const anyValue = fc.oneof(
  fc.constantFrom('null', 'true', 'false', '{}', '[]', '0', '-0', '1', '1.5', '50', '2147483648', '1e400', '-1e400'),
  fc.constantFrom('[1e400]', '"\\u0000"', '"a\\ud800"', '"\\\\u0000"', '"2026-01-31"', '"2026-02-30"', '"MENTOR"'),
  fc.constantFrom('"2026-01-31T10:00:00"', '"2026-01-31T10:00:00.123456Z"', '"9000-01-01T00:00:00Z"', '"Ikke møtt"'),
  fc.constantFrom('{"arenaMigreringDeltaker":true}', '{"arenaMigreringArbeidsgiver":1}', '{"toJSON":"x"}'),
  fc.integer({ min: 0, max: 1_100 }).map((length) => JSON.stringify('x'.repeat(length))),
  fc.string({ unit: 'binary', maxLength: 60 }).map((text) => JSON.stringify(text)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
  fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)),
);
const FIELDS = [
  ...['avtaleNr', 'deltakerFnr', 'bedriftNr', 'bedriftNavn', 'tiltakstype', 'versjon', 'avtaleStatus', 'startDato'],
  ...['sluttDato', 'stillingprosent', 'antallDagerPerUke', 'opphav', 'avtaleInngått', 'opprettetTidspunkt'],
  ...['annullertTidspunkt', 'annullertGrunn', 'feilregistrert', 'slettemerket', 'hendelseType', 'godkjentPaVegneAv'],
  ...['godkjentPaVegneGrunn', 'godkjentPaVegneAvArbeidsgiverGrunn', 'ukjent', '__proto__', 'avtaleId', 'sistEndret'],
];
const anyContent = fc
  .tuple(fc.array(fc.tuple(fc.constantFrom(...FIELDS), anyValue), { maxLength: 4 }), fc.boolean())
  .map(([fields, first]) => {
    const needed = `"avtaleId":"${ID}","sistEndret":"2026-01-01T00:00:00Z"`;
    const others = fields.map(([name, value]) => `${JSON.stringify(name)}:${value}`);
    // The last of a name counts.
    return ascii(`{${(first ? [needed, ...others] : [...others, needed]).join(',')}}`);
  });

const bytes = (text: string): Buffer => Buffer.from(text);
const holdsEndless = (source: JsonObject): boolean =>
  Object.values(source).some((value) => typeof value === 'number' && !Number.isFinite(value));

test('whatever an entry holds, it is taken when the message of it can be read, and is read as the whole would be', async () => {
  await fc.assert(
    fc.asyncProperty(anyContent, async (content) => {
      const faults = await faultsOf(`{"id":"${ID}","ressurs":${content}}`);
      const origin = { writtenAt: Date.now() };
      const source = reduceMessage(JSON.parse(content) as JsonObject);
      const reduced = parseMessage(bytes(ID), bytes(JSON.stringify(source)), origin);
      if (faults === undefined) {
        const { messages, fingerprint } = await read(`{"id":"${ID.toUpperCase()}","ressurs":${content}}`);
        const [message] = messages;
        expect(message?.key).toBe(ID);
        expect(reduced.ok && !holdsEndless(source)).toBe(true);
        expect(parseMessage(bytes(ID), message?.value ?? null, origin)).toEqual(reduced);
        expect(fingerprint).toEqual(
          createHash('sha256')
            .update(`${ID}\n${String(message?.value)}\n`)
            .digest(),
        );
      } else if (!reduced.ok && !holdsEndless(source)) {
        const { field } = reduced.reason;
        const named = field === 'key' ? 'ressurser[0].id' : `ressurser[0].ressurs${field === null ? '' : `.${field}`}`;
        expect(faults.map(({ felt }) => felt)).toContain(named);
      } else {
        // These are not the message's to refuse.
        const own = /^ressurser\[0\]\.ressurs\.(annullertGrunn|godkjentPaVegne\w*Grunn(\.\w+)?)$/;
        expect(faults.every(({ felt }) => own.test(felt)) || holdsEndless(source)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

test('what the short way of reading takes is what the long one takes', () => {
  const now = Date.UTC(2026, 5, 1);
  fc.assert(
    fc.property(anyContent, (content) => {
      const source = reduceMessage(JSON.parse(content) as JsonObject);
      const json = JSON.stringify(source);
      if (holdsEndless(source) || json.includes('\\u0000')) return;
      expect(readabilityAt(now)(source, ID)).toBe(parseMessage(bytes(ID), bytes(json), { writtenAt: now }).ok);
    }),
    { numRuns: 500 },
  );
});

test('the fingerprint of a page is of every byte of it', async () => {
  const entries = Array.from({ length: 400 }, (_, n) => {
    const id = ID.replace(/^.{8}/, n.toString(16).padStart(8, '0'));
    return {
      id,
      ressurs: { avtaleId: id, sistEndret: '2026-01-01T00:00:00Z', bedriftNavn: 'x'.repeat((n * 37) % 1_000) },
    };
  });
  const { messages, fingerprint } = await read(...entries.map((entry) => JSON.stringify(entry)));
  const whole = messages.map(({ key, value }) => `${key}\n${String(value)}\n`).join('');
  expect(fingerprint).toEqual(createHash('sha256').update(whole).digest());
});

test('whatever spelling a field of the contract has, the one that is meant is named', async () => {
  const spellings = (name: string): string[] => [
    name.replaceAll('å', 'aa').replaceAll('ø', 'oe'),
    name.replaceAll('å', 'a'),
    name.toUpperCase(),
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    name.normalize('NFD'),
  ];
  for (const [name, { source }] of Object.entries(TABLE)) {
    const known = Object.values(TABLE).map((field) => field.source);
    const others = new Set([name, ...spellings(name), ...spellings(source)].filter((other) => !known.includes(other)));
    const entry = {
      avtaleId: ID,
      sistEndret: '2026-01-01T00:00:00Z',
      ...Object.fromEntries([...others].map((other) => [other, null])),
    };
    const { remarks } = await read(`{"id":"${ID}","ressurs":${ascii(JSON.stringify(entry))}}`);
    // A letter and its accent as two characters is no name that is shown, and no less known for that.
    expect(remarks.map(({ mente }) => mente)).toEqual(remarks.map(() => source));
    expect(remarks.length).toBeGreaterThan(0);
  }
});
