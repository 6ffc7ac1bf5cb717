import {
  batch,
  deltakerId,
  ID,
  melding,
  startTestInnlesning,
  type TestInnlesning,
} from '../testing/test-innlesning.ts';
import { byggNeste } from './bygging.ts';
import { kontrollerRelasjoner, type Avvik, type Kontroll } from './kontroll.ts';

const ANTALL = 12;
const id = (n: number): string => ID.slice(0, -2) + String(10 + n);
const fnr = (n: number): string => String(n % 4);

let oppsett: TestInnlesning;
beforeAll(async () => {
  oppsett = await startTestInnlesning();
});
afterAll(() => oppsett.stopp());
/** Four participants with three avtaler each, which follow each other and go on. */
beforeEach(async () => {
  await oppsett.toem();
  await oppsett.eier.query('update instans set relasjoner_bygget_til = null');
  const meldinger = Array.from({ length: ANTALL }, (_, n) =>
    melding(n, {
      avtaleId: id(n),
      deltakerFnr: fnr(n),
      bedriftNr: '910825518',
      tiltakstype: 'VTAO',
      startDato: `2026-01-${String(10 + n)}`,
    }),
  );
  await oppsett.innlesning.lesInn(batch(meldinger));
  await oppsett.eier.query('truncate endring');
});

const relasjoner = async (): Promise<unknown> => (await oppsett.dump()).relasjon;
const fortalt = async (): Promise<string[]> => {
  const rader = await oppsett.eier.query<{ avtale_id: string }[]>('select avtale_id from endring');
  return rader.map((rad) => rad.avtale_id).sort();
};

describe('the check', () => {
  const kontroller = async (rett: boolean): Promise<Kontroll & { avvik: Avvik[] }> => {
    const avvik: Avvik[] = [];
    // Less than all at a time.
    const svar = await kontrollerRelasjoner(oppsett.pool, { rett, meld: (a) => avvik.push(a), antall: 2 });
    return { ...svar, avvik };
  };

  test('finds nothing in what the ingestor keeps', async () => {
    expect(await kontroller(false)).toEqual({ deltakere: 4, mangler: 0, overfloedige: 0, rettet: false, avvik: [] });
  });

  test('finds exactly what was planted, puts it right when asked, and tells of it in the feed', async () => {
    const rett = await relasjoner();
    const ukjent = deltakerId('ukjent');
    const rel = (deltaker: string, fra: number, relasjon: string, til: number): LagretSomTekst => ({
      deltakerId: deltaker,
      fra: id(fra),
      relasjon,
      til: id(til),
    });
    const borte = rel(deltakerId(fnr(0)), 0, 'neste', 4);
    const falske = [rel(deltakerId(fnr(1)), 1, 'mentor', 5), rel(ukjent, 2, 'samtidige', 3)];
    await oppsett.eier.query('delete from relasjon where fra = $1 and relasjon = $2', [borte.fra, borte.relasjon]);
    for (const { deltakerId: d, fra, relasjon, til } of falske) {
      await oppsett.eier.query('insert into relasjon values ($1, $2, $3, $4)', [d, fra, relasjon, til]);
    }
    const ventet = [
      { avvik: 'MANGLER', ...borte },
      ...falske.map((relasjon) => ({ avvik: 'OVERFLOEDIG', ...relasjon })),
    ];
    const funnet = await kontroller(false);
    expect(funnet).toMatchObject({ deltakere: 5, mangler: 1, overfloedige: 2, rettet: false });
    expect(new Set(funnet.avvik)).toEqual(new Set(ventet));
    expect(await fortalt()).toEqual([]);

    expect(new Set((await kontroller(true)).avvik)).toEqual(new Set(ventet));
    expect(await relasjoner()).toEqual(rett);
    expect(await fortalt()).toEqual([id(0), id(1), id(2)]);
    expect(await kontroller(true)).toMatchObject({ deltakere: 4, mangler: 0, overfloedige: 0, avvik: [] });
  });
});

interface LagretSomTekst {
  deltakerId: string;
  fra: string;
  relasjon: string;
  til: string;
}

test('avtaler from before there were relations get theirs, bit by bit, once', async () => {
  const rett = await relasjoner();
  expect(rett).toHaveLength(4 * 10);
  await oppsett.eier.query('truncate relasjon');
  expect(await byggNeste(oppsett.pool, 3)).toBe(false);
  expect(await relasjoner()).toHaveLength(3 * 10);
  // The process ends here, and two others go on.
  let ferdig = [false];
  while (!ferdig.every(Boolean)) ferdig = await Promise.all([byggNeste(oppsett.pool, 1), byggNeste(oppsett.pool, 1)]);
  expect(await relasjoner()).toEqual(rett);
  expect(await fortalt()).toEqual(Array.from({ length: ANTALL }, (_, n) => id(n)));

  await oppsett.eier.query('truncate relasjon');
  expect(await byggNeste(oppsett.pool)).toBe(true);
  expect(await relasjoner()).toEqual([]);
});
