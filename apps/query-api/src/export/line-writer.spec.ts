import fc from 'fast-check';
import { STORED_FIELDS, type AvtaleField } from '@tiltak/avtale';
import { columnsFor, jsonMapper, membersOf, type AvtaleRow } from '../avtaler/avtaler.fields.ts';
import { toAvtaleDto } from '../avtaler/avtaler.mapper.ts';
import { createLineWriter, type Column } from './line-writer.ts';

const FIELDS: readonly AvtaleField[] = [...STORED_FIELDS, 'fase', 'hovedenhet'];
const NUMBERS = ['avtale_nr', 'versjon', 'stillingprosent', 'antall_dager_per_uke'];
const BOOLEANS = ['godkjent_paa_vegne_av', 'godkjent_paa_vegne_av_arbeidsgiver', 'annullert_underveis'];
const TIMES = FIELDS.flatMap(membersOf).flatMap(({ column, read }) => (read.isTime ? [column] : []));

const COLUMNS: readonly Column[] = [...selected(FIELDS), 'relasjoner'].map((name) => ({
  name,
  kind: NUMBERS.includes(name) ? 'number' : BOOLEANS.includes(name) ? 'boolean' : 'string',
}));

/** The names that the statement gives its columns. */
function selected(fields: readonly AvtaleField[]): string[] {
  return columnsFor(fields)
    .split(/, (?![^(]*\))/)
    .map((column) => /(\w+)$/.exec(column)?.[1] ?? '');
}

/** As `COPY … TO STDOUT` writes it. */
function copied(row: AvtaleRow): string {
  const escapes: Record<string, string> = {
    ...{ '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v', '\\': '\\\\' },
  };
  const cells = COLUMNS.map(({ name }) => {
    const value = row[name] ?? null;
    if (value === null) return '\\N';
    if (typeof value === 'boolean') return value ? 't' : 'f';
    return String(value).replace(/[\b\f\n\r\t\v\\]/g, (char) => escapes[char] ?? char);
  });
  return `${cells.join('\t')}\n`;
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }).map((s) => s.replaceAll('\0', '')),
  fc.string({
    unit: fc.constantFrom(
      '"',
      '\\',
      '\n',
      '\t',
      '\r',
      '\b',
      '\v',
      '\u0001',
      '\u001f',
      '\u007f',
      'N',
      'n',
      'ø',
      '🙂',
      '\u2028',
    ),
  }),
  fc.constantFrom('', '\\N', '\\', 'x'.repeat(3_000), '910825518', '..', '+00'),
);
const time = fc.oneof(
  fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((d) => `${d.toISOString().slice(0, 10)} ${d.toISOString().slice(11, 23)}456+00`),
  fc.constantFrom(
    '2026-01-31 10:00:00+00',
    '0044-03-15 12:00:00+00 BC',
    '12026-01-31 10:00:00.1+00',
    'infinity',
    '-infinity',
  ),
);
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
const relations = fc.uniqueArray(
  fc.tuple(fc.constantFrom('forrige', 'mentor', 'mentorFor', 'neste', 'samtidige'), fc.uuid()),
  {
    selector: ([name, to]) => (name === 'forrige' || name === 'neste' ? name : `${name} ${to}`),
    // More of one relation than are told of.
    maxLength: 40,
  },
);

const value = ({ name, kind }: Column): fc.Arbitrary<string | number | boolean | null> => {
  if (name === 'avtale_id') return fc.uuid();
  if (name === 'deltaker_id') return fc.option(fc.uuid());
  if (name === 'relasjoner') {
    return relations.map((all) =>
      all.length === 0
        ? null
        : all
            .map(([to, id]) => `${to} ${id}`)
            .sort()
            .join(','),
    );
  }
  if (kind === 'number') return fc.option(number);
  if (kind === 'boolean') return fc.option(fc.boolean());
  if (TIMES.includes(name)) return fc.option(time);
  if (name === 'bedrift_nr') return fc.option(fc.oneof(hostile, fc.stringMatching(/^\d{1,25}$/)));
  // The ingestor takes nothing else for a number.
  if (name === 'hovedenhet') return fc.option(fc.stringMatching(/^\d{9}$/));
  if (name === 'tiltakstype') return fc.option(fc.oneof(hostile, fc.constantFrom('MENTOR', 'SOMMERJOBB')));
  return fc.option(hostile);
};
const row = fc.record(Object.fromEntries(COLUMNS.map((column) => [column.name, value(column)])));

test.each([
  ['all fields', FIELDS, true],
  ['one field', ['bedriftNavn'] as const, true],
  ['a field that may be left out', ['tiltakstype'] as const, true],
  ['all fields without links', FIELDS, false],
  ['a field that may be left out, without links', ['tiltakstype'] as const, false],
  ['two fields, the last of which may be left out', ['bedriftNr', 'tiltakstype'] as const, false],
])(
  'each line is what the mapper of a search says, whatever the rows, and wherever they are cut: %s',
  (_, fields, withLinks) => {
    const toAvtale: (of: AvtaleRow) => unknown = withLinks ? toAvtaleDto(fields) : jsonMapper(fields);
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), fc.array(fc.nat(400), { minLength: 1 }), (rows, cuts) => {
        const write = createLineWriter({ fields, withLinks }, COLUMNS);
        const bytes = Buffer.from(rows.map(copied).join(''));
        const lines: Buffer[] = [];
        for (let at = 0, n = 0; at < bytes.length; n++) {
          const end = at + 1 + (cuts[n % cuts.length] ?? 0);
          write(bytes.subarray(at, end), (ready) => lines.push(ready));
          at = end;
        }
        const expected = rows.map((one) => `${JSON.stringify(toAvtale(one))}\n`).join('');
        expect(Buffer.concat(lines).toString()).toBe(Buffer.from(expected).toString());
      }),
      { numRuns: 60 },
    );
  },
);
