import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { forventet } from './fasit/fasit.ts';
import { lagHendelser, lagOppdateringer } from './hendelser.ts';

const json = (valg: Parameters<typeof lagHendelser>[0]): string => JSON.stringify([...lagHendelser(valg)]);

test('the same numbers give the same bytes, another seed others', () => {
  expect(json({ antall: 1_000, seed: 7, gift: true })).toBe(json({ antall: 1_000, seed: 7, gift: true }));
  expect(json({ antall: 1_000, seed: 7 })).not.toBe(json({ antall: 1_000, seed: 8 }));
});

test('exactly as many as were asked for', () => {
  fc.assert(
    fc.property(fc.nat(300), fc.nat(), fc.boolean(), (antall, seed, gift) => {
      expect([...lagHendelser({ antall, seed, gift })]).toHaveLength(antall);
    }),
    { numRuns: 20 },
  );
});

test('each message is keyed by the avtale it is about, and can be used', () => {
  const meldinger = Array.from(lagHendelser({ antall: 5_000, seed: 3 }), (m, offset) => ({
    ...m,
    partisjon: 0,
    offset,
  }));
  const { avtaler, slettet, parkert } = forventet(meldinger);
  expect(parkert).toEqual([]);
  expect(avtaler.size + slettet.size).toBe(new Set(meldinger.map(({ nokkel }) => nokkel)).size);
  expect(meldinger.length / avtaler.size).toBeGreaterThan(5);
  expect(meldinger.length / avtaler.size).toBeLessThan(15);
});

test('avtaler live side by side, and a person may have several', () => {
  const nokler = Array.from(lagHendelser({ antall: 5_000, seed: 3 }), ({ nokkel }) => nokkel);
  const rekker = nokler.filter((nokkel, i) => nokkel !== nokler[i - 1]).length;
  expect(rekker).toBeGreaterThan(2_000);
  const { avtaler } = forventet(
    Array.from(lagHendelser({ antall: 5_000, seed: 3 }), (m, offset) => ({ ...m, partisjon: 0, offset })),
  );
  const antallPerPerson = [...Map.groupBy(avtaler.values(), (a) => a.deltakerFnr).values()].map((a) => a.length);
  expect(Math.max(...antallPerPerson)).toBeGreaterThan(2);
});

test('poison of each kind lies between the messages when asked for, and tombstones', () => {
  const meldinger = Array.from(lagHendelser({ antall: 6_000, gift: true }), (m, offset) => ({
    ...m,
    partisjon: 0,
    offset,
  }));
  const felter = forventet(meldinger).parkert.map(({ felt }) => String(felt));
  expect([...new Set(felter)].sort()).toEqual(
    [
      'null',
      'avtaleId',
      'key',
      'sistEndret',
      'startDato',
      'sluttDato',
      'avtaleInngått',
      'opprettetTidspunkt',
      'versjon',
      'avtaleNr',
      'bedriftNr',
      'bedriftNavn',
      'slettemerket',
      'feilregistrert',
      'stillingprosent',
    ].sort(),
  );
  // Every 97th is spoilt, and nothing else is parked.
  expect(felter).toHaveLength(Math.floor(6_000 / 97));
  expect(meldinger.filter(({ verdi }) => verdi === null).length).toBeGreaterThan(20);
});

test('memory does not grow with the number of messages', () => {
  setFlagsFromString('--expose-gc');
  const rydd = runInNewContext('gc') as () => void;
  const brukt = (): number => {
    rydd();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  const maalt: number[] = [];
  let n = 0;
  for (const _ of lagHendelser({ antall: 100_000 })) if (++n === 35_000 || n === 95_000) maalt.push(brukt());
  expect(n).toBe(100_000);
  const [tidlig = NaN, sent = NaN] = maalt;
  // The messages between would be 200 MiB.
  expect(sent - tidlig).toBeLessThan(25);
});

describe('updates', () => {
  const antall = 3_000;
  const foer = [...lagHendelser({ antall, seed: 42 })];
  const oppdateringer = [...lagOppdateringer({ antall, seed: 42 })];
  const sist = (liste: typeof foer): Map<string, string> =>
    new Map(
      [...forventet(liste.map((m, offset) => ({ ...m, partisjon: 0, offset }))).avtaler].map(([id, a]) => [
        id,
        a.sistEndret,
      ]),
    );

  test('are as many, about the same avtaler, all usable', () => {
    expect(oppdateringer.map(({ nokkel }) => nokkel)).toEqual(foer.map(({ nokkel }) => nokkel));
    expect(forventet(oppdateringer.map((m, offset) => ({ ...m, partisjon: 0, offset }))).parkert).toEqual([]);
    expect(oppdateringer).toEqual([...lagOppdateringer({ antall, seed: 42 })]);
  });

  test('are for the most part newer than all that was sent before; the rest is resent to the byte, or older', () => {
    const kjent = sist(foer);
    const slag = { lik: 0, eldre: 0, nyere: 0 };
    for (const [i, { verdi }] of oppdateringer.entries()) {
      const { avtaleId, sistEndret } = JSON.parse(String(verdi)) as Record<'avtaleId' | 'sistEndret', string>;
      if (verdi === foer[i]?.verdi) slag.lik++;
      else if (sistEndret < (kjent.get(avtaleId) ?? '')) slag.eldre++;
      else slag.nyere++;
    }
    expect(slag.lik / antall).toBeCloseTo(0.15, 1);
    expect(slag.eldre / antall).toBeCloseTo(0.15, 1);
    expect(slag.nyere / antall).toBeCloseTo(0.7, 1);
    const etter = sist([...foer, ...oppdateringer]);
    expect([...etter].filter(([id, tid]) => tid !== kjent.get(id)).length / etter.size).toBeGreaterThan(0.9);
  });
});
