import { GRANTABLE_FIELDS, TILTAKSTYPER } from '@tiltak/avtale';
import { Problem, rulesPipe, validationPipe } from '@tiltak/platform';
import { syntheticFnr } from '@tiltak/testing';
import fc from 'fast-check';
import { AvtalefaseSideDto, AvtaleIdDto, AvtaleNrDto, SokDto, UtdragSokDto } from './avtaler/avtaler.dto.ts';
import { TiltaksstatusSporringDto } from './personer/personer.dto.ts';
import { EksportSporringDto } from './export/export.dto.ts';
import { StatistikkSporringDto } from './statistics/statistics.dto.ts';

/** What is read in one pass is what class-validator and class-transformer make of it, and all else is theirs to answer. */

interface Form {
  type: 'body' | 'query' | 'param';
  metatype: new () => object;
  /** what each member may well be */
  members: Record<string, fc.Arbitrary<unknown>>;
}

const idents = fc.array(
  fc.nat(20).map((nr) => syntheticFnr(nr)),
  { minLength: 1, maxLength: 3 },
);
const date = fc.constantFrom('2026-01-31', '2024-02-29', '2026-12-31');
const moment = fc.constantFrom('2026-01-31T10:00:00Z', '2020-01-31T10:00:00.1234567+05:30');
const kinds = fc.subarray([...TILTAKSTYPER], { minLength: 1 });
const period = fc.record({ fra: date, til: date }, { requiredKeys: [] });
const page = { antall: fc.integer({ min: 1, max: 1_000 }), neste: fc.string({ maxLength: 20 }) };
const search = {
  personidenter: idents,
  bedriftsnumre: fc.constant(['910825518']),
  hovedenhet: fc.constantFrom('910712217', '91071221'),
  avtaleIder: fc.array(fc.uuid(), { minLength: 1, maxLength: 3 }),
  tiltakstyper: kinds,
  faser: fc.constant(['PAAGAAR']),
  faseDato: date,
  periode: period,
  endretEtter: moment,
  gjeldendePer: moment,
  ...page,
};

const FORMS: Form[] = [
  { type: 'body', metatype: SokDto, members: search },
  {
    type: 'body',
    metatype: UtdragSokDto,
    members: { ...search, felter: fc.subarray([...GRANTABLE_FIELDS], { minLength: 1 }) },
  },
  {
    type: 'body',
    metatype: TiltaksstatusSporringDto,
    members: {
      personidenter: idents,
      personer: fc.array(fc.record({ referanse: fc.string(), personidenter: idents }, { requiredKeys: [] }), {
        minLength: 1,
        maxLength: 3,
      }),
      dato: date,
      periode: fc.record({ fra: date, til: date }, { requiredKeys: [] }),
      tiltakstyper: kinds,
      felter: fc.subarray(['avtaleId', '_links', 'fase']),
      gjeldendePer: moment,
    },
  },
  {
    type: 'query',
    metatype: AvtalefaseSideDto,
    members: { ...page, antall: fc.constantFrom('1', '1000', '1001'), faser: fc.constantFrom('PAAGAAR', 'PAAGAAR,X') },
  },
  {
    type: 'query',
    metatype: StatistikkSporringDto,
    members: { gruppering: fc.constantFrom('tiltakstype', ['tiltakstype']), dato: date, maaneder: fc.constant('3') },
  },
  {
    type: 'query',
    metatype: EksportSporringDto,
    members: { felter: fc.constantFrom('avtaleId', 'avtaleId,fase', ['avtaleId', 'fase'], 'avtaleId,lonn', '') },
  },
  { type: 'param', metatype: AvtaleIdDto, members: { avtaleId: fc.uuid() } },
  { type: 'param', metatype: AvtaleNrDto, members: { avtaleNr: fc.constantFrom('1', '2147483648', '1e3') } },
];

/** Whatever JSON can hold, and what looks as if it were right. */
const hostile = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(null, '', [], {}, [null], [[]], { length: 1 }, '2026-02-30', 0.5, true),
  fc.constantFrom<unknown>(['1'], [12345678901], { fra: null, til: '2026-01-01' }, [{ personidenter: null }], Infinity),
);

const valueOf = ({ members, type }: Form): fc.Arbitrary<Record<string, unknown>> => {
  const strange = fc.constantFrom(...Object.keys(members), 'ukjent', 'toString', 'felt\u0000', '12345678901');
  return fc
    .tuple(
      fc.record(members, { requiredKeys: [] }),
      fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, fc.dictionary(strange, hostile, { maxKeys: 2 })),
      // A client that writes null for what it leaves out.
      fc.constantFrom({}, type === 'body' ? { ukjent: null, neste: null } : {}),
    )
    .map((parts) => Object.assign({}, ...parts) as Record<string, unknown>);
};

type Pipe = ReturnType<typeof validationPipe>;

async function outcomeOf(pipe: Pipe, { type, metatype }: Form, value: unknown): Promise<unknown> {
  try {
    return { read: await pipe.transform(structuredClone(value), { type, metatype }) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { refused: error.toJson() };
  }
}

test.each(FORMS.map((form) => [form.metatype.name, form] as const))(
  '%s: whatever comes is read, or refused with the same words, as by the rules alone',
  async (_, form) => {
    const [compiled, byRules] = [validationPipe(), rulesPipe()];
    await fc.assert(
      fc.asyncProperty(valueOf(form), async (value) => {
        expect(await outcomeOf(compiled, form, value)).toStrictEqual(await outcomeOf(byRules, form, value));
      }),
      { numRuns: 150 },
    );
  },
);

test.each<[string, number, Record<string, unknown>]>([
  ['a search', 0, { personidenter: [syntheticFnr(1)], periode: { fra: '2026-01-01', til: '2026-01-31' }, neste: null }],
  ['an extract', 1, { felter: ['avtaleId'], gjeldendePer: '2026-01-31T10:00:00Z' }],
  ['a question of persons', 2, { personer: [{ personidenter: [syntheticFnr(1)] }], periode: { fra: '2026-01-01' } }],
  ['a page', 3, { antall: '10', faser: 'PAAGAAR,PLANLAGT' }],
  ['an export', 5, { felter: 'avtaleId,startDato' }],
  ['a path', 6, { avtaleId: '04d0033c-754b-4daa-b5ff-6531dc64582c' }],
])('%s that is plainly valid is read at once, and waits for nothing', (_, nr, value) => {
  const form = FORMS[nr];
  if (!form) throw new Error('There is no such form');
  expect(validationPipe().transform(value, { type: form.type, metatype: form.metatype })).toBeInstanceOf(form.metatype);
});
