import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { stringify } from 'yaml';
import { GRANTABLE_FIELDS } from '@tiltak/avtale';
import { readKonsumenter, InvalidRegistryError } from './konsumenter.ts';
import { requireTerms } from './terms.ts';

const directory = mkdtempSync(join(tmpdir(), 'konsumenter-'));
const file = join(directory, 'konsumenter.yaml');
afterAll(() => rmSync(directory, { recursive: true }));

function read(content: unknown): ReturnType<typeof readKonsumenter> {
  writeFileSync(file, typeof content === 'string' ? content : stringify(content));
  return readKonsumenter(file);
}

const basis = { id: 'B1', lenke: 'https://x.no/B1', operasjoner: ['sokAvtaler'], felter: ['avtaleId'] };
const konsument = { navn: 'k', azp: 'a', behandlingsgrunnlag: [basis] };
const ORG = '310100005';
const kommune = { navn: 'kommune', organisasjonsnummer: ORG, behandlingsgrunnlag: [basis] };

test('consumers by client id', () => {
  const konsumenter = read([
    konsument,
    {
      ...konsument,
      navn: 'l',
      azp: 'b',
      graphql: { som: 'gammel' },
      behandlingsgrunnlag: [{ ...basis, felter: 'alle' }],
      kvote: { perSekund: 1, burst: 2 },
    },
  ]);
  expect([...konsumenter.keys()]).toEqual(['a', 'b']);
  expect(konsumenter.get('b')?.behandlingsgrunnlag[0]?.felter).toEqual(new Set(GRANTABLE_FIELDS));
  expect(konsumenter.get('b')?.kvote?.perSecond).toBe(1);
  expect([...konsumenter.values()].map(({ dialect }) => dialect)).toEqual(['ny', 'gammel']);
});

test('the registry of the local stack, whose consumers have accepted the terms of use', () => {
  const konsumenter = [...readKonsumenter(join(ROOT, 'tools', 'local', 'konsumenter.yaml')).values()];
  expect(konsumenter.map(({ navn }) => navn)).toEqual(expect.arrayContaining(['alt', 'smal']));
  for (const one of konsumenter) expect(() => requireTerms(one, 'sokAvtaler')).not.toThrow();
});

test.each([
  ['not YAML', '- navn: [', /konsumenter\.yaml: /],
  ['an alias of nothing', '- *alle', /konsumenter\.yaml: Unresolved alias/],
  ['not a list', { navn: 'k' }, /the file must be array/],
  ['an unknown key', [{ ...konsument, rolle: 'x' }], /0 must NOT have additional properties \(rolle\)/],
  [
    'neither azp nor organisation',
    [{ navn: 'k', behandlingsgrunnlag: [basis] }],
    /0 must have required property 'azp'/,
  ],
  ['both', [{ ...konsument, organisasjonsnummer: ORG }], /0 must match exactly one schema in oneOf/],
  ['an azp like an organisation', [{ ...konsument, azp: `0192:${ORG}` }], /0\.azp must match pattern/],
  ['a number that is no text', '- {navn: k, organisasjonsnummer: 310100005}', /0\.organisasjonsnummer must be string/],
  [
    'a wrong check digit',
    [{ ...kommune, organisasjonsnummer: '310100004' }],
    /kommune: 310100004 is not an organisation/,
  ],
  ['a supplier with one', [{ ...kommune, leverandoerer: ['310101371'] }], /kommune: 310101371 is not an organisation/],
  ['the same organisation twice', [kommune, { ...kommune, navn: 'l' }], /organisasjonsnummer 310100005 stands twice/],
  ['its own supplier', [{ ...kommune, leverandoerer: [ORG] }], /kommune: it is a supplier of itself/],
  ['suppliers of an application', [{ ...konsument, leverandoerer: [ORG] }], /organisasjonsnummer/],
  [
    'no purpose',
    [{ ...konsument, behandlingsgrunnlag: [] }],
    /0\.behandlingsgrunnlag must NOT have fewer than 1 items/,
  ],
  [
    'an unknown operation',
    [{ ...konsument, behandlingsgrunnlag: [{ ...basis, operasjoner: ['slettAlt'] }] }],
    /slettAlt is not an operation/,
  ],
  [
    'an unknown field',
    [{ ...konsument, behandlingsgrunnlag: [{ ...basis, felter: ['kontonummer'] }] }],
    /kontonummer is not a field/,
  ],
  [
    'a field that is never shown',
    [{ ...konsument, behandlingsgrunnlag: [{ ...basis, felter: ['feilregistrert'] }] }],
    /feilregistrert is not a field/,
  ],
  ['the same client twice', [konsument, { ...konsument, navn: 'l' }], /azp a stands twice/],
  ['the same name twice', [konsument, { ...konsument, azp: 'b' }], /navn k stands twice/],
  [
    'the same purpose twice',
    [{ ...konsument, behandlingsgrunnlag: [basis, basis] }],
    /k: behandlingsgrunnlag B1 stands twice/,
  ],
  ['no version', [{ ...konsument, bruksvilkaar: 'ja' }], /0\.bruksvilkaar must be integer/],
  ['an unknown GraphQL', [{ ...konsument, graphql: { som: 'eldst' } }], /0\.graphql\.som must be equal to one of/],
  ['no quota', [{ ...konsument, kvote: { perSekund: 0, burst: 1 } }], /0\.kvote\.perSekund must be >= 1/],
])('%s is refused, with the place', (_, content, message) => {
  expect(() => read(content)).toThrow(InvalidRegistryError);
  expect(() => read(content)).toThrow(message);
});

test('a file that is not there is named', () => {
  expect(() => readKonsumenter(join(directory, 'borte.yaml'))).toThrow(/borte\.yaml: can't be read \(ENOENT\)/);
});
