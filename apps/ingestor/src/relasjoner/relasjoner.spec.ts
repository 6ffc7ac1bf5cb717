import { setTimeout as vent } from 'node:timers/promises';
import { ventTil } from '@tiltak/testing';
import fc from 'fast-check';
import type { Innlesning } from '../avtaler/avtaler.innlesning.ts';
import { SamtidigEndring } from '../avtaler/avtaler.sql.ts';
import type { RaaMelding } from '../kafka/batch.ts';
import { batch, ID, melding, startTestInnlesning, TOPIC, type TestInnlesning } from '../testing/test-innlesning.ts';

let oppsett: TestInnlesning;

beforeAll(async () => {
  oppsett = await startTestInnlesning();
});
afterAll(() => oppsett.stopp());

const PARTISJONER = [0, 1, 2];
const id = (n: number): string => ID.slice(0, -2) + String(10 + n);

async function toem(): Promise<void> {
  await oppsett.toem();
  await oppsett.eier.query(
    `insert into konsum_offset select $1, p, 0 from unnest($2::int[]) p on conflict do nothing`,
    [TOPIC, PARTISJONER],
  );
}

interface Hendelse {
  avtale: number;
  slag: 'AVTALE' | 'SLETTEMERKET' | 'GRAVSTEIN';
  felter: Record<string, unknown>;
}

const dato = fc.integer({ min: 1, max: 9 }).map((n) => `2026-01-0${String(n)}`);
const hendelse: fc.Arbitrary<Hendelse> = fc.record({
  avtale: fc.nat(11),
  slag: fc.constantFrom('AVTALE', 'AVTALE', 'AVTALE', 'AVTALE', 'AVTALE', 'SLETTEMERKET', 'GRAVSTEIN'),
  felter: fc.record({
    sistEndret: fc.nat(30).map((n) => `2026-01-01T00:00:00.${String(n).padStart(6, '0')}Z`),
    deltakerFnr: fc.constantFrom('1', '1', '2', null),
    bedriftNr: fc.constantFrom('910825518', '910825518', '910712330', ''),
    tiltakstype: fc.constantFrom('MENTOR', 'VTAO', 'VTAO', null),
    avtaleStatus: fc.constantFrom('PÅBEGYNT', 'GJENNOMFØRES', 'AVSLUTTET', 'ANNULLERT', 'AVBRUTT'),
    startDato: fc.option(dato, { freq: 8 }),
    sluttDato: fc.option(dato, { freq: 4 }),
    feilregistrert: fc.constantFrom(false, false, false, true),
    annullertTidspunkt: fc.constantFrom(null, null, null, '2026-01-02T00:00:00Z'),
  }),
});
/** With duplicates: the source sends one save several times, and old ones again. */
const historie = fc
  .array(fc.tuple(hendelse, fc.nat(2)), { minLength: 5, maxLength: 60 })
  .map((liste) => [...liste.map(([h]) => h), ...liste.flatMap(([h, ganger]) => Array<Hendelse>(ganger).fill(h))]);

/** An avtale lives on one partition; its messages are numbered there. */
function fordel(hendelser: readonly Hendelse[]): RaaMelding[][] {
  return PARTISJONER.map((partisjon) =>
    hendelser
      .filter(({ avtale }) => avtale % PARTISJONER.length === partisjon)
      .map(({ avtale, slag, felter }, offset) => {
        const raa = melding(offset, { ...felter, avtaleId: id(avtale), slettemerket: slag === 'SLETTEMERKET' });
        return slag === 'GRAVSTEIN' ? { ...raa, verdi: null } : raa;
      }),
  );
}

/** As the consumer does: goes on where it is told to, and tries again when another was first. */
async function les(hvem: Innlesning, partisjon: number, meldinger: readonly RaaMelding[], steg: number): Promise<void> {
  for (let fra = 0; fra < meldinger.length;) {
    const del = { ...batch(meldinger.slice(fra, fra + steg), fra), partisjon, sluttOffset: meldinger.length };
    try {
      ({ nesteOffset: fra } = await hvem.lesInn(del));
    } catch (feil) {
      if (!(feil instanceof SamtidigEndring)) throw feil;
      await vent(1);
    }
  }
}

interface Rad {
  id: string;
  fnr: string | null;
  bedrift: string | null;
  type: string | null;
  status: string | null;
  start: string | null;
  slutt: string | null;
  synlig: boolean;
  annullert: boolean;
}

const lesAvtaler = (): Promise<Rad[]> =>
  oppsett.eier.query(`
    select avtale_id as id, deltaker_fnr as fnr, bedrift_nr as bedrift, tiltakstype as type, avtale_status as status,
      start_dato::text as start, slutt_dato::text as slutt, slettet is null and not feilregistrert as synlig,
      annullert_tidspunkt is not null as annullert
    from avtale`);

const lesRelasjoner = async (): Promise<string[]> => {
  const rader = await oppsett.eier.query<{ rad: string }[]>(
    `select fra || ' ' || relasjon || ' ' || til as rad from relasjon`,
  );
  return rader.map(({ rad }) => rad).sort();
};

/** What the relations must be, said as in the documents and found by trying every pair. */
function fasit(avtaler: readonly Rad[]): string[] {
  const med = avtaler.filter(
    (a) =>
      a.synlig &&
      a.fnr !== null &&
      a.start !== null &&
      !a.annullert &&
      !['ANNULLERT', 'AVBRUTT'].includes(a.status ?? ''),
  );
  const dager = ({ start, slutt }: Rad): number[] =>
    Array.from({ length: 31 }, (_, n) => n + 1).filter((dag) => {
      const d = `2026-01-${String(dag).padStart(2, '0')}`;
      return d >= (start ?? '') && (slutt === null || d <= slutt);
    });
  const plass = (a: Rad): string => `${String(a.start)} ${a.slutt ?? '9999'} ${a.id}`;
  const svar: string[] = [];
  for (const a of med) {
    const rekke = med.filter(
      (b) => b.fnr === a.fnr && a.bedrift && b.bedrift === a.bedrift && a.type && b.type === a.type,
    );
    const etter = rekke.filter((b) => plass(b) > plass(a)).sort((b, c) => (plass(b) < plass(c) ? -1 : 1));
    if (etter[0]) svar.push(`${a.id} neste ${etter[0].id}`, `${etter[0].id} forrige ${a.id}`);
    for (const b of med) {
      if (a.id === b.id || a.fnr !== b.fnr || !dager(a).some((dag) => dager(b).includes(dag))) continue;
      svar.push(`${a.id} samtidige ${b.id}`);
      if (a.type === 'MENTOR' && b.type !== 'MENTOR' && a.bedrift && a.bedrift === b.bedrift) {
        svar.push(`${a.id} mentorFor ${b.id}`, `${b.id} mentor ${a.id}`);
      }
    }
  }
  return svar.sort();
}

test('two ingestors on three partitions at once: the relations are those of the avtaler, and the feed ends right', async () => {
  await fc.assert(
    fc.asyncProperty(
      historie,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 2 }),
      async (h, [a = 1, b = 1]) => {
        await toem();
        const partisjoner = fordel(h);
        await Promise.all(
          partisjoner.flatMap((meldinger, partisjon) => [
            les(oppsett.innlesning, partisjon, meldinger, a),
            les(oppsett.andre, partisjon, meldinger, b),
          ]),
        );
        const avtaler = await lesAvtaler();
        expect(await lesRelasjoner()).toEqual(fasit(avtaler));

        const siste = await oppsett.eier.query<{ avtale_id: string; type: string }[]>(
          'select distinct on (avtale_id) avtale_id, type from endring order by avtale_id, tx desc, lopenr desc',
        );
        const fortalt = new Map(siste.map((rad) => [rad.avtale_id, rad.type]));
        for (const { id: avtaleId, synlig } of avtaler) {
          expect(fortalt.get(avtaleId) ?? 'SLETTET').toBe(synlig ? 'ENDRET' : 'SLETTET');
        }
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);

test('an avtale that is linked to while it is being deleted is deleted, for those who read the feed too', async () => {
  await toem();
  const felter = { deltakerFnr: '1', startDato: '2026-01-01' };
  const { innlesning, andre, pool, eier } = oppsett;
  await innlesning.lesInn(batch([melding(0, { ...felter, avtaleId: id(0) })]));
  const holder = await pool.connect();
  await holder.query('begin');
  await holder.query('select from avtale for update');
  // Begins first, and is held up before it has said what became of the avtale.
  const sletting = les(innlesning, 0, [melding(0, {}), { ...melding(1, { avtaleId: id(0) }), verdi: null }], 2);
  await ventTil(
    async () => {
      const [rad] = await eier.query<{ n: number }[]>(`select count(*)::int as n from pg_locks where not granted`);
      return rad?.n;
    },
    { hva: 'the deletion to be held up' },
  );
  await les(andre, 1, [melding(0, { ...felter, avtaleId: id(1) })], 1);
  expect(await lesRelasjoner()).toHaveLength(2);
  await holder.query('commit');
  holder.release();
  await sletting;
  expect(await lesRelasjoner()).toEqual([]);
  const fortalt = await eier.query<{ type: string }[]>(
    'select type from endring where avtale_id = $1 order by tx, lopenr',
    [id(0)],
  );
  expect(fortalt.map(({ type }) => type)).toEqual(['ENDRET', 'ENDRET', 'SLETTET']);
});

test('each change of a link is told of, once, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(historie, fc.integer({ min: 1, max: 5 }), async (h, steg) => {
      await toem();
      const meldinger = fordel(h)[0] ?? [];
      for (let fra = 0; fra < meldinger.length; fra += steg) {
        const foer = new Set(await lesRelasjoner());
        await oppsett.eier.query('truncate endring');
        const { folder } = await oppsett.innlesning.lesInn(batch(meldinger.slice(fra, fra + steg), fra));
        const naa = new Set(await lesRelasjoner());
        const ulike = [...foer, ...naa]
          .filter((r) => foer.has(r) !== naa.has(r))
          .map((relasjon) => relasjon.split(' ')[0] ?? '');
        const egne = folder.filter(({ endringer }) => endringer.length > 0).map(({ avtaleId }) => avtaleId);
        const fortalt = await oppsett.eier.query<{ avtale_id: string }[]>('select avtale_id from endring');
        const andres = fortalt.map((rad) => rad.avtale_id).filter((avtaleId) => !egne.includes(avtaleId));
        expect(andres.sort()).toEqual([...new Set(ulike)].filter((avtaleId) => !egne.includes(avtaleId)).sort());
      }
    }),
    { numRuns: 25 },
  );
}, 120_000);
