import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { globSync } from 'node:fs';
import { GRANTABLE_FIELDS } from '@tiltak/avtale';
import { ROOT } from '@tiltak/testing';
import { stringify } from 'yaml';
import { columnsOf } from './columns.ts';
import { productKeys } from './keys.ts';
import { readProducts } from './products.ts';

const directory = mkdtempSync(join(tmpdir(), 'analyse-'));
afterAll(() => rmSync(directory, { recursive: true }));

const WHY = 'Spørsmålet trenger den';
const product = (columns: object[], more: object = {}): object => ({
  produkt: 'deltakelse',
  behandlingsgrunnlag: { id: 'B1', lenke: 'https://example.no/B1', formaal: 'Følge med på', rettsgrunnlag: 'Loven' },
  maaned: 'startDato',
  kolonner: [{ felt: 'startDato', hvorfor: WHY }, ...columns],
  ...more,
});

function errorsOf(content: unknown): string[] {
  const file = join(directory, 'analyse.yaml');
  writeFileSync(file, typeof content === 'string' ? content : stringify(content));
  try {
    readProducts(file);
    return [];
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => line.replace(`${file}: `, ''));
  }
}

test.each<[object, string[]]>([
  [{ felt: 'deltakerFnr' }, ['deltakelse: deltakerFnr is an ident: it needs som: noekkel']],
  [{ felt: 'deltakerFnr', som: 'verdi' }, ['deltakelse: deltakerFnr is an ident: it needs som: noekkel']],
  [{ felt: 'deltakerFnr', som: 'noekkel' }, []],
  [{ felt: 'bedriftNavn', som: 'verdi' }, ['deltakelse: bedriftNavn is free text']],
  [{ felt: 'bedriftNavn', som: 'noekkel' }, ['deltakelse: bedriftNavn is free text']],
  [
    { felt: 'bedriftNr' },
    ['deltakelse: bedriftNr is an ident of an employer, who may be a person: it needs som: noekkel or som: verdi'],
  ],
  [{ felt: 'bedriftNr', som: 'verdi' }, []],
  [{ felt: 'bedriftNr', som: 'noekkel' }, []],
  [
    { felt: 'hovedenhet' },
    ['deltakelse: hovedenhet is an ident of an employer, who may be a person: it needs som: noekkel or som: verdi'],
  ],
  [{ felt: 'hovedenhet', som: 'verdi' }, []],
  [{ felt: 'hovedenhet', som: 'noekkel' }, []],
  [
    { felt: 'veilederNavIdent', som: 'noekkel' },
    ['deltakelse: veilederNavIdent is the ident of an employee of Nav: no product is made of it'],
  ],
  [{ felt: 'avtaleNr' }, ['deltakelse: avtaleNr tells which avtale it is: each row has avtaleNoekkel instead']],
  [{ felt: 'slettemerket' }, ['deltakelse: slettemerket is not a field of an avtale']],
  [{ felt: 'feilregistrert' }, ['deltakelse: feilregistrert is not a field of an avtale']],
  [{ felt: 'sluttDato', som: 'noekkel' }, ['deltakelse: sluttDato is no ident: it can not be som: noekkel']],
  [{ felt: 'startDato' }, ['deltakelse: startDato stands twice']],
])('opted in: %j', (column, errors) => {
  expect(errorsOf([product([{ ...column, hvorfor: WHY }])])).toEqual(errors);
});

test('a product says what for, why each column, and by which of them its files are divided', () => {
  expect(errorsOf([product([{ felt: 'fase' }])])).toEqual([
    "0.kolonner.1 must have required property 'hvorfor' (hvorfor)",
  ]);
  expect(errorsOf([product([], { behandlingsgrunnlag: { id: 'B1', lenke: 'https://example.no' } })])).toHaveLength(2);
  expect(errorsOf([product([], { maaned: 'sluttDato' })])).toEqual([
    'deltakelse: maaned sluttDato is not one of the columns',
  ]);
  expect(errorsOf([product([]), product([])])).toEqual(['produkt deltakelse stands twice']);
  expect(() => readProducts(join(directory, 'borte.yaml'))).toThrow("borte.yaml: can't be read (ENOENT)");
});

test('whatever the table of fields gets, no column has an ident or a text as it is but the employer that was asked for', () => {
  const keys = productKeys('0c'.repeat(32));
  for (const field of GRANTABLE_FIELDS)
    for (const som of ['verdi', 'noekkel', undefined] as const) {
      const columns = columnsOf({ felt: field, som, hvorfor: WHY });
      if ('refused' in columns || (['bedriftNr', 'hovedenhet'].includes(field) && som === 'verdi')) continue;
      for (const column of columns.filter(({ type }) => type === 'TEXT')) {
        const row = Object.fromEntries(column.reads.map((name) => [name, 'Ola Nordmann']));
        expect([column.name, column.valueOf(row, keys)]).not.toContain('Ola Nordmann');
      }
    }
});

test('the products that are to be deployed can be made', () => {
  const files = [...globSync('nais/*/analyse.yaml', { cwd: ROOT }), 'tools/local/analyse.yaml'];
  expect(files.length).toBeGreaterThan(1);
  for (const file of files) expect(() => readProducts(join(ROOT, file))).not.toThrow();
});
