import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROT } from '@tiltak/testing';
import { stringify } from 'yaml';
import { FELTER } from '../avtaler/felter.ts';
import { lesKonsumenter, UgyldigRegister } from './konsumenter.ts';

const katalog = mkdtempSync(join(tmpdir(), 'konsumenter-'));
const fil = join(katalog, 'konsumenter.yaml');
afterAll(() => rmSync(katalog, { recursive: true }));

function les(innhold: unknown): ReturnType<typeof lesKonsumenter> {
  writeFileSync(fil, typeof innhold === 'string' ? innhold : stringify(innhold));
  return lesKonsumenter(fil);
}

const grunnlag = { id: 'B1', lenke: 'https://x.no/B1', operasjoner: ['sokAvtaler'], felter: ['avtaleId'] };
const konsument = { navn: 'k', azp: 'a', behandlingsgrunnlag: [grunnlag] };

test('consumers by client id', () => {
  const konsumenter = les([
    konsument,
    {
      ...konsument,
      navn: 'l',
      azp: 'b',
      behandlingsgrunnlag: [{ ...grunnlag, felter: 'alle' }],
      kvote: { perSekund: 1, burst: 2 },
    },
  ]);
  expect([...konsumenter.keys()]).toEqual(['a', 'b']);
  expect(konsumenter.get('b')?.behandlingsgrunnlag[0]?.felter).toEqual(new Set(FELTER));
  expect(konsumenter.get('b')?.kvote?.perSekund).toBe(1);
});

test('the registry of the local stack', () => {
  const navn = [...lesKonsumenter(join(ROT, 'tools', 'lokal', 'konsumenter.yaml')).values()].map((k) => k.navn);
  expect(navn).toEqual(expect.arrayContaining(['alt', 'smal']));
});

test.each([
  ['not YAML', '- navn: [', /konsumenter\.yaml: /],
  ['not a list', { navn: 'k' }, /the file must be array/],
  ['an unknown key', [{ ...konsument, rolle: 'x' }], /0 must NOT have additional properties \(rolle\)/],
  ['no azp', [{ navn: 'k', behandlingsgrunnlag: [grunnlag] }], /0 must have required property 'azp'/],
  [
    'no purpose',
    [{ ...konsument, behandlingsgrunnlag: [] }],
    /0\.behandlingsgrunnlag must NOT have fewer than 1 items/,
  ],
  [
    'an unknown operation',
    [{ ...konsument, behandlingsgrunnlag: [{ ...grunnlag, operasjoner: ['slettAlt'] }] }],
    /slettAlt is not an operation/,
  ],
  [
    'an unknown field',
    [{ ...konsument, behandlingsgrunnlag: [{ ...grunnlag, felter: ['kontonummer'] }] }],
    /kontonummer is not a field/,
  ],
  [
    'a field that is never shown',
    [{ ...konsument, behandlingsgrunnlag: [{ ...grunnlag, felter: ['feilregistrert'] }] }],
    /feilregistrert is not a field/,
  ],
  ['the same client twice', [konsument, { ...konsument, navn: 'l' }], /azp a stands twice/],
  ['the same name twice', [konsument, { ...konsument, azp: 'b' }], /navn k stands twice/],
  [
    'the same purpose twice',
    [{ ...konsument, behandlingsgrunnlag: [grunnlag, grunnlag] }],
    /k: behandlingsgrunnlag B1 stands twice/,
  ],
  ['no quota', [{ ...konsument, kvote: { perSekund: 0, burst: 1 } }], /0\.kvote\.perSekund must be >= 1/],
])('%s is refused, with the place', (_, innhold, melding) => {
  expect(() => les(innhold)).toThrow(UgyldigRegister);
  expect(() => les(innhold)).toThrow(melding);
});

test('a file that is not there is named', () => {
  expect(() => lesKonsumenter(join(katalog, 'borte.yaml'))).toThrow(/borte\.yaml: can't be read \(ENOENT\)/);
});
