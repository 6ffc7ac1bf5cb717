import fc from 'fast-check';
import type { Avtale } from './avtale.ts';
import type { Melding } from './melding.ts';
import { spillAv, vinner, type Fold, type Innhold, type PlassertMelding, type Tilstand } from './rekkefolge.ts';

const ID = '04d0033c-754b-4daa-b5ff-6531dc64582c';
const tid = (n: number): string => `2026-01-01T00:00:00.${String(n).padStart(6, '0')}Z`;
const kod = (avtale: Avtale): Innhold => ({ avtrykk: JSON.stringify(avtale) });

interface Valg {
  navn?: string;
  feilregistrert?: boolean;
}
const avtale = (sistEndret: number, { navn = 'a', feilregistrert = false }: Valg = {}): Melding => ({
  type: 'AVTALE',
  avtale: { avtaleId: ID, sistEndret: tid(sistEndret), bedriftNavn: navn, feilregistrert } as Avtale,
});
const slettet = (sistEndret: number): Melding => ({ type: 'SLETTET', avtaleId: ID, sistEndret: tid(sistEndret) });
const gravstein: Melding = { type: 'GRAVSTEIN', avtaleId: ID };

const paaRad = (...meldinger: Melding[]): PlassertMelding[] =>
  meldinger.map((melding, offset) => ({ melding, plass: { partisjon: 0, offset } }));
const spill = (meldinger: PlassertMelding[], kjent?: Tilstand): Fold<Innhold> => spillAv(ID, kjent, meldinger, kod);
const navn = (fold: Fold<Innhold>): string | undefined =>
  (fold.innhold && (JSON.parse(fold.innhold.avtrykk) as Avtale).bedriftNavn) ?? undefined;

describe('what wins', () => {
  test('newer', () => expect(navn(spill(paaRad(avtale(1, { navn: 'a' }), avtale(2, { navn: 'b' }))))).toBe('b'));
  test('equal and later', () =>
    expect(navn(spill(paaRad(avtale(1, { navn: 'a' }), avtale(1, { navn: 'b' }))))).toBe('b'));
  test('never older, whatever its offset', () =>
    expect(navn(spill(paaRad(avtale(2, { navn: 'a' }), avtale(1, { navn: 'b' }))))).toBe('a'));

  test('an older late message does not revive what was deleted', () =>
    expect(spill(paaRad(avtale(1), slettet(2), avtale(1))).tilstand?.slettet).toBe('SLETTEMERKET'));
  test('a newer one does', () => expect(spill(paaRad(avtale(1), slettet(2), avtale(3))).tilstand?.slettet).toBeNull());
  test('so does an equal one at a later place, after slettemerket', () =>
    expect(spill(paaRad(slettet(2), avtale(2))).tilstand?.slettet).toBeNull());

  test('a tombstone beats everything before it', () =>
    expect(spill(paaRad(avtale(9), gravstein)).tilstand).toMatchObject({ slettet: 'GRAVSTEIN', sistEndret: tid(9) }));
  test('after a tombstone only what is newer than what was deleted revives', () => {
    expect(spill(paaRad(avtale(9), gravstein, avtale(9))).tilstand?.slettet).toBe('GRAVSTEIN');
    expect(spill(paaRad(avtale(9), gravstein, avtale(10))).tilstand?.slettet).toBeNull();
  });
  test('a tombstone for an avtale never seen: anything later counts, nothing earlier', () => {
    const { tilstand } = spill([{ melding: gravstein, plass: { partisjon: 0, offset: 5 } }]);
    expect(vinner(avtale(1), { partisjon: 0, offset: 6 }, tilstand)).toBe(true);
    expect(vinner(avtale(99), { partisjon: 0, offset: 4 }, tilstand)).toBe(false);
  });
});

describe('what is told', () => {
  const fortalt = (...meldinger: Melding[]): (string | null)[][] =>
    spill(paaRad(...meldinger)).endringer.map(({ type, aarsak }) => [type, aarsak]);

  test('one line per real change', () => {
    expect(fortalt(avtale(1), avtale(1), avtale(2), avtale(1))).toEqual([
      ['ENDRET', null],
      ['ENDRET', null],
    ]);
  });
  test('wrongly registered is gone, and comes back', () => {
    expect(
      fortalt(avtale(1), avtale(2, { feilregistrert: true }), avtale(3, { feilregistrert: true }), avtale(4)),
    ).toEqual([
      ['ENDRET', null],
      ['SLETTET', 'FEILREGISTRERT'],
      ['ENDRET', null],
    ]);
  });
  test('a delete is told once, and only of what was seen', () => {
    expect(fortalt(slettet(1), slettet(2))).toEqual([]);
    expect(fortalt(avtale(1), slettet(2), gravstein)).toEqual([
      ['ENDRET', null],
      ['SLETTET', 'SLETTET'],
    ]);
  });
  test('nothing from before an erasure stays in the history', () => {
    const fold = spill(paaRad(avtale(1), avtale(2), slettet(3), avtale(4, { navn: 'ny' })));
    expect(fold).toMatchObject({ slettHistorikk: true, versjoner: [{ plass: { offset: 3 } }] });
  });
});

describe('for any history', () => {
  const melding = fc.oneof(
    fc
      .record({
        sistEndret: fc.integer({ min: 0, max: 4 }),
        navn: fc.constantFrom('a', 'b'),
        feilregistrert: fc.boolean(),
      })
      .map(({ sistEndret, ...valg }) => avtale(sistEndret, valg)),
    fc.integer({ min: 0, max: 4 }).map(slettet),
    fc.constant(gravstein),
  );
  const historie = fc.array(melding, { minLength: 1, maxLength: 12 }).map((meldinger) => paaRad(...meldinger));

  test('one batch or several: the same', () => {
    fc.assert(
      fc.property(historie, fc.nat(12), (meldinger, delt) => {
        const [foer, etter] = [meldinger.slice(0, delt), meldinger.slice(delt)];
        const samlet = spill(meldinger);
        const foerste = spill(foer);
        const andre = spill(etter, foerste.tilstand);
        expect(andre.tilstand ?? foerste.tilstand).toEqual(samlet.tilstand);
        expect([...foerste.endringer, ...andre.endringer]).toEqual(samlet.endringer);
        const versjoner = andre.slettHistorikk ? andre.versjoner : [...foerste.versjoner, ...andre.versjoner];
        expect(versjoner).toEqual(samlet.versjoner);
      }),
    );
  });

  test('playing it again changes nothing', () => {
    fc.assert(
      fc.property(historie, (meldinger) => {
        const { tilstand } = spill(meldinger);
        expect(spill(meldinger, tilstand)).toMatchObject({ tilstand: undefined, versjoner: [], endringer: [] });
      }),
    );
  });

  test('without tombstones, the greatest (sistEndret, partition, offset) decides, in any order of arrival', () => {
    const spredt = fc.uniqueArray(
      fc.record({ sistEndret: fc.nat(3), partisjon: fc.nat(2), offset: fc.nat(20), sletter: fc.boolean() }),
      { selector: ({ partisjon, offset }) => `${String(partisjon)}-${String(offset)}`, minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(spredt, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (deler, tilfeldig) => {
        const meldinger = deler.map(({ sistEndret, partisjon, offset, sletter }) => ({
          sistEndret,
          plass: { partisjon, offset },
          melding: sletter
            ? slettet(sistEndret)
            : avtale(sistEndret, { navn: `${String(partisjon)}-${String(offset)}` }),
        }));
        const stokket = meldinger
          .map((m) => ({ m, n: tilfeldig.next().value as number }))
          .sort((a, b) => a.n - b.n)
          .map(({ m }) => m);
        const stoerst = [...meldinger]
          .sort(
            (a, b) =>
              a.sistEndret - b.sistEndret || a.plass.partisjon - b.plass.partisjon || a.plass.offset - b.plass.offset,
          )
          .at(-1);
        expect(spill(stokket).tilstand).toMatchObject({ plass: stoerst?.plass });
      }),
    );
  });
});

describe('a tombstone of a full sync', () => {
  const gravstein = { type: 'GRAVSTEIN', avtaleId: 'a', foer: 10 } as const;
  const kjentPaa = (partisjon: number, offset: number): Tilstand => ({
    sistEndret: '2026-01-01T00:00:00.000000Z',
    plass: { partisjon, offset },
    slettet: null,
    feilregistrert: false,
    avtrykk: 'x',
  });

  test.each([
    ['deletes what lies before its limit', kjentPaa(1, 9), true],
    ['spares what lies at its limit', kjentPaa(1, 10), false],
    ['spares what lies after it', kjentPaa(1, 15), false],
    ['spares what lies in another partition', kjentPaa(0, 9), false],
    ['does not come into force again', kjentPaa(1, 20), false],
    ['marks what was never seen', undefined, true],
  ])('%s', (_, kjent, forventet) => {
    expect(vinner(gravstein, { partisjon: 1, offset: 20 }, kjent)).toBe(forventet);
  });
});
