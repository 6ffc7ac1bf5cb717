import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { forventet, type PlassertKildemelding } from './fasit.ts';
import { FELTER, type Kildemelding } from './kildemelding.ts';
import { lagHendelser, lagOppdateringer } from './livslop.ts';

type Melding = Record<string, unknown>;

const ANTALL = 20_000;
const meldinger = [...lagHendelser({ antall: ANTALL, seed: 42 })];
const lest = meldinger.map(({ verdi }) => JSON.parse(String(verdi)) as Melding);
const perAvtale = Map.groupBy(lest, ({ avtaleId }) => avtaleId);
const par = [...perAvtale.values()].flatMap((liv) => liv.slice(1).map((m, i) => [liv[i] ?? m, m] as const));
const us = (tid: unknown): bigint => {
  const [hele, broek = ''] = String(tid).replace('Z', '').split('.');
  return BigInt(Date.parse(`${String(hele)}Z`)) * 1_000n + (BigInt(broek.padEnd(9, '0')) + 500n) / 1_000n;
};

/** Within the same microsecond, by its nanoseconds. */
const eldreBroek = (a: Melding, b: Melding): boolean => {
  const nano = (m: Melding): string => (String(m['sistEndret']).split('.')[1] ?? '').replace('Z', '').padEnd(9, '0');
  return nano(a) < nano(b);
};

test('the same seed gives the same bytes, another seed others', () => {
  const tekst = (seed: number): string => JSON.stringify([...lagHendelser({ antall: 500, seed, gift: true })]);
  expect(tekst(7)).toBe(tekst(7));
  expect(tekst(7)).not.toBe(tekst(8));
});

test('exactly as many as were asked for', () => {
  fc.assert(
    fc.property(fc.nat(300), fc.nat(), fc.boolean(), (antall, seed, gift) => {
      expect([...lagHendelser({ antall, seed, gift })]).toHaveLength(antall);
    }),
    { numRuns: 20 },
  );
});

test('all 94 fields in the order of the source, 92 in old messages', () => {
  expect(FELTER).toHaveLength(94);
  for (const melding of lest) {
    const felter = Object.keys(melding).filter((felt) => felt !== 'etNyttFelt');
    const ventet =
      felter.length === 94 ? FELTER : FELTER.filter((felt) => felt !== 'opphav' && felt !== 'forkortetGrunn');
    expect(felter).toEqual([...ventet]);
  }
  // The same as in what was seen from the source.
  const fil = readFileSync(new URL('./data/avtale-hendelser.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n');
  const former = new Set(fil.map((linje) => Object.keys(JSON.parse(linje) as Melding).join()));
  expect(former).toContain(FELTER.join());
});

test('messages are as large as the source sends them', () => {
  const stoerrelser = meldinger.map(({ verdi }) => Buffer.byteLength(String(verdi)));
  const middel = stoerrelser.reduce((sum, n) => sum + n, 0) / ANTALL;
  expect(middel).toBeGreaterThan(2_400);
  expect(middel).toBeLessThan(4_000);
});

/** The acceptance list of the source contract: how many of each there are. */
const TILFELLER: Record<string, () => unknown[]> = {
  '1: created without avtaleNr': () => lest.filter((m) => m['hendelseType'] === 'OPPRETTET' && m['avtaleNr'] === null),
  '2: from Arena, years back': () =>
    lest.filter((m) => m['hendelseType'] === 'OPPRETTET_AV_ARENA' && m['veilederNavIdent'] === null),
  '3: several messages of one save': () =>
    par.filter(([a, b]) => a['sistEndret'] === b['sistEndret'] && a['hendelseType'] !== b['hendelseType']),
  '4: STATUSENDRING with the old time': () =>
    par.filter(([a, b]) => b['hendelseType'] === 'STATUSENDRING' && us(a['sistEndret']) === us(b['sistEndret'])),
  '5: PATCH that is rounded, with other content': () =>
    par.filter(
      ([a, b]) =>
        b['hendelseType'] === 'PATCH' &&
        us(a['sistEndret']) === us(b['sistEndret']) &&
        eldreBroek(b, a) &&
        a['veilederNavIdent'] !== b['veilederNavIdent'],
    ),
  '6: PATCH that is much older': () =>
    par.filter(([a, b]) => b['hendelseType'] === 'PATCH' && us(a['sistEndret']) > us(b['sistEndret']) + 500_000n),
  '7: PATCH after a silent change, a gap in versjon': () =>
    par.filter(
      ([a, b]) =>
        b['hendelseType'] === 'PATCH' &&
        us(a['sistEndret']) < us(b['sistEndret']) &&
        Number(b['versjon']) > Number(a['versjon']),
    ),
  '8: old form': () => lest.filter((m) => !('opphav' in m)),
  '8: AVBRUTT': () => lest.filter((m) => m['avtaleStatus'] === 'AVBRUTT'),
  '8: slettemerket': () => lest.filter((m) => m['slettemerket'] === true),
  '9: annulled and back': () =>
    par.filter(([a, b]) => a['avtaleStatus'] === 'ANNULLERT' && b['avtaleStatus'] === 'MANGLER_GODKJENNING'),
  '9: ended and under way again': () =>
    par.filter(([a, b]) => a['avtaleStatus'] === 'AVSLUTTET' && b['avtaleStatus'] === 'GJENNOMFØRES'),
  '10: beslutter without entry': () => lest.filter((m) => m['godkjentAvBeslutter'] && !m['avtaleInngått']),
  '10: on behalf after lifting': () =>
    lest.filter((m) => m['godkjentPaVegneAvArbeidsgiver'] === true && !m['godkjentAvArbeidsgiver']),
  '11: unknown hendelseType': () => lest.filter((m) => String(m['hendelseType']).startsWith('NY_HENDELSE')),
  '11: unknown tiltakstype': () => lest.filter((m) => String(m['tiltakstype']).startsWith('NYTT_TILTAK')),
  '11: extra field': () => lest.filter((m) => 'etNyttFelt' in m),
  '12: no participant': () => lest.filter((m) => m['deltakerFnr'] === null),
  '12: no employer': () => lest.filter((m) => m['bedriftNr'] === ''),
  '14: around the clock change': () =>
    lest.filter((m) => Object.values(m).some((v) => /^2025-(03-30|10-26)T0[0-3]/.test(String(v)))),
  '15: MENTOR with a position': () =>
    lest.filter((m) => m['tiltakstype'] === 'MENTOR' && m['stillingprosent'] !== null),
};
test.each(Object.entries(TILFELLER))('%s', (_, finn) => expect(finn().length).toBeGreaterThan(0));

test('14: fractions of none to nine digits', () => {
  const siffer = new Set(lest.map((m) => String(m['opprettetTidspunkt']).split('.')[1]?.length ?? 0));
  expect([...siffer].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('updates change the same avtaler, and mix in what is resent and what is stale', () => {
  const foer = new Set(meldinger.slice(0, 2_000).map(({ verdi }) => String(verdi)));
  const oppdateringer = [...lagOppdateringer({ antall: 2_000, seed: 42 })];
  const like = oppdateringer.filter(({ verdi }) => foer.has(String(verdi))).length;
  const eldre = oppdateringer.filter(({ verdi }) => /"sistEndret":"202[0-4]/.test(String(verdi))).length;
  expect([like > 200, eldre > 200, like + eldre < 800]).toEqual([true, true, true]);
});

describe('the expected state', () => {
  const plassert = (liste: readonly Kildemelding[]): PlassertKildemelding[] =>
    liste.map((m, offset) => ({ ...m, partisjon: 0, offset }));

  test('does not depend on how messages of different avtaler are mixed', () => {
    const liste = plassert([...lagHendelser({ antall: 2_000, seed: 3, gift: true })]);
    const etterAvtale = [...Map.groupBy(liste, ({ nokkel }) => nokkel).values()].flat();
    const [a, b] = [forventet(liste), forventet(etterAvtale)];
    expect(b.avtaler).toEqual(new Map([...a.avtaler].sort(() => 0)));
    expect(b.slettet).toEqual(a.slettet);
  });

  test('is the same when everything is played twice', () => {
    const liste = plassert([...lagHendelser({ antall: 2_000, seed: 4, gift: true })]);
    expect(forventet([...liste, ...liste]).avtaler).toEqual(forventet(liste).avtaler);
  });

  test('of the messages that were seen from the source: 306 avtaler, two of them deleted, none parked', () => {
    const linjer = readFileSync(new URL('./data/avtale-hendelser.jsonl', import.meta.url), 'utf8')
      .trim()
      .split('\n');
    const { avtaler, slettet, parkert } = forventet(
      plassert(linjer.map((verdi) => ({ nokkel: (JSON.parse(verdi) as { avtaleId: string }).avtaleId, verdi }))),
    );
    expect([avtaler.size, slettet.size, parkert]).toEqual([304, 2, []]);
  });
});
