import { readFileSync } from 'node:fs';
import { erGyldigFnr, erGyldigOrgnr } from '@tiltak/testing';
import { lagHendelser } from './hendelser.ts';

/** What the source is known to send (section 8 of its contract) must all be in what the simulator sends. */

type Melding = Record<string, unknown>;

const ANTALL = 20_000;
const tekster = Array.from(lagHendelser({ antall: ANTALL, seed: 42 }), ({ verdi }) => String(verdi));
const meldinger = tekster.map((tekst) => JSON.parse(tekst) as Melding);

/** Table 1.3 of the contract, in its order. */
const FELTER = `
  hendelseType avtaleStatus deltakerFnr mentorFnr bedriftNr veilederNavIdent tiltakstype opprettetTidspunkt avtaleId avtaleNr
  sistEndret annullertTidspunkt annullertGrunn slettemerket opprettetAvArbeidsgiver enhetGeografisk enhetsnavnGeografisk
  enhetOppfolging enhetsnavnOppfolging godkjentForEtterregistrering kvalifiseringsgruppe formidlingsgruppe tilskuddPeriode
  feilregistrert opphav versjon deltakerFornavn deltakerEtternavn deltakerTlf bedriftNavn arbeidsgiverFornavn
  arbeidsgiverEtternavn arbeidsgiverTlf veilederFornavn veilederEtternavn veilederTlf oppfolging tilrettelegging startDato
  sluttDato stillingprosent journalpostId arbeidsoppgaver stillingstittel stillingStyrk08 stillingKonseptId antallDagerPerUke
  refusjonKontaktperson mentorFornavn mentorEtternavn mentorOppgaver mentorAntallTimer mentorTimelonn mentorTlf
  arbeidsgiverKontonummer lonnstilskuddProsent manedslonn feriepengesats arbeidsgiveravgift harFamilietilknytning
  familietilknytningForklaring feriepengerBelop otpSats otpBelop arbeidsgiveravgiftBelop sumLonnsutgifter sumLonnstilskudd
  manedslonn100pst sumLønnstilskuddRedusert datoForRedusertProsent stillingstype maal inkluderingstilskuddsutgift
  inkluderingstilskuddBegrunnelse inkluderingstilskuddTotalBeløp godkjentAvDeltaker godkjentTaushetserklæringAvMentor
  godkjentAvArbeidsgiver godkjentAvVeileder godkjentAvBeslutter avtaleInngått ikrafttredelsestidspunkt godkjentAvNavIdent
  godkjentAvBeslutterNavIdent enhetKostnadssted enhetsnavnKostnadssted godkjentPaVegneGrunn godkjentPaVegneAv
  godkjentPaVegneAvArbeidsgiverGrunn godkjentPaVegneAvArbeidsgiver innholdType utførtAv utførtAvRolle forkortetGrunn`
  .trim()
  .split(/\s+/);

test('all 94 fields in order; before November 2024 without opphav, and without forkortetGrunn', () => {
  expect(FELTER).toHaveLength(94);
  const uten = (...felter: string[]): string => FELTER.filter((felt) => !felter.includes(felt)).join();
  const former = new Set(meldinger.map((m) => Object.keys(m).join()));
  expect(former).toEqual(
    new Set([uten(), uten('forkortetGrunn'), uten('opphav', 'forkortetGrunn'), `${uten()},etNyttFelt`]),
  );
  // And what was seen from the source.
  const fil = readFileSync(new URL('./data/avtale-hendelser.jsonl', import.meta.url), 'utf8');
  const sett = fil.trimEnd().split('\n');
  expect(new Set(sett.map((linje) => Object.keys(JSON.parse(linje) as Melding).join()))).toEqual(
    new Set([uten(), uten('opphav', 'forkortetGrunn')]),
  );
});

test('messages are as large as the source sends them', () => {
  const bytes = tekster.map((tekst) => Buffer.byteLength(tekst));
  const middel = bytes.reduce((sum, n) => sum + n, 0) / ANTALL;
  expect(middel).toBeGreaterThan(2_400);
  expect(middel).toBeLessThan(4_000);
  expect(Math.max(...bytes)).toBeLessThan(6_200);
});

test('idents are synthetic', () => {
  const fnr = meldinger
    .flatMap((m) => [m['deltakerFnr'], m['mentorFnr'], m['utførtAv']])
    .filter((v) => /^\d{11}$/.test(String(v)));
  expect(fnr.filter((v) => Number(String(v).slice(2, 4)) <= 40)).toEqual([]);
  expect(meldinger.filter((m) => m['bedriftNr'] !== '' && !erGyldigOrgnr(String(m['bedriftNr'])))).toEqual([]);
});

/** Microseconds, rounded half up. */
const us = (m: Melding): bigint => {
  const [hele, broek = ''] = String(m['sistEndret']).replace('Z', '').split('.');
  return BigInt(Date.parse(`${String(hele)}Z`)) * 1_000n + (BigInt(broek.padEnd(9, '0')) + 500n) / 1_000n;
};
const nano = (m: Melding): string => (/\.(\d+)Z/.exec(String(m['sistEndret']))?.[1] ?? '').padEnd(9, '0');
const innhold = ({
  hendelseType: _,
  utførtAv: __,
  utførtAvRolle: ___,
  forkortetGrunn: ____,
  ...alt
}: Melding): string => JSON.stringify({ ...alt, sistEndret: null });
const harTid = (m: Melding, moenster: RegExp): boolean =>
  ['opprettetTidspunkt', 'godkjentAvDeltaker', 'godkjentAvArbeidsgiver', 'avtaleInngått'].some((felt) =>
    moenster.test(String(m[felt])),
  );

const er =
  (felter: Melding) =>
  (m: Melding): boolean =>
    Object.entries(felter).every(([felt, verdi]) => m[felt] === verdi);
const har =
  (hva: (m: Melding) => unknown): (() => number) =>
  () =>
    meldinger.filter(hva).length;
/** Messages about the same avtale, one right after the other. */
const par = [...Map.groupBy(meldinger, ({ avtaleId }) => avtaleId).values()].flatMap((liv) =>
  liv.slice(1).map((m, i) => [liv[i] ?? m, m] as const),
);
const harPar =
  (hva: (foer: Melding, etter: Melding) => unknown): (() => number) =>
  () =>
    par.filter(([foer, etter]) => hva(foer, etter)).length;
const storste = (grupper: Map<unknown, Melding[]>): number =>
  Math.max(...[...grupper.values()].map(({ length }) => length));
const statusendring = er({ hendelseType: 'STATUSENDRING' });
const patch = er({ hendelseType: 'PATCH' });
const blir = (fra: string, til: string): (() => number) =>
  harPar((a, b) => a['avtaleStatus'] === fra && b['avtaleStatus'] === til && us(b) > us(a));

test.each<[string, () => number]>([
  [
    '1: created without avtaleNr and content',
    har((m) => /^OPPRETTET/.test(String(m['hendelseType'])) && m['avtaleNr'] === null && m['startDato'] === null),
  ],
  [
    '1: bursts of ENDRET',
    harPar((a, b) => a['hendelseType'] === 'ENDRET' && b['hendelseType'] === 'ENDRET' && us(b) - us(a) < 60_000_000n),
  ],
  ['1: ENDRET of a copy without avtaleNr', har(er({ hendelseType: 'ENDRET', avtaleNr: null }))],
  [
    '2: from Arena, years back',
    har(
      (m) =>
        er({ hendelseType: 'OPPRETTET_AV_ARENA', veilederNavIdent: null })(m) &&
        String(m['opprettetTidspunkt']) < '2024',
    ),
  ],
  ['2: from Arena without sluttDato', har(er({ hendelseType: 'OPPRETTET_AV_ARENA', sluttDato: null }))],
  [
    '3: several messages of one save',
    harPar(
      (a, b) =>
        a['hendelseType'] !== b['hendelseType'] && a['sistEndret'] === b['sistEndret'] && innhold(a) === innhold(b),
    ),
  ],
  ['3: the same message twice', harPar((a, b) => JSON.stringify(a) === JSON.stringify(b))],
  [
    '3: ENDRET with nothing changed',
    harPar((a, b) => b['hendelseType'] === 'ENDRET' && us(a) < us(b) && innhold(a) === innhold(b)),
  ],
  [
    '4: STATUSENDRING with the old time',
    harPar((a, b) => statusendring(b) && us(a) === us(b) && a['avtaleStatus'] !== b['avtaleStatus']),
  ],
  ['4: STATUSENDRING with a new time', harPar((a, b) => statusendring(b) && us(a) < us(b))],
  [
    '4: STATUSENDRING in a burst of one transaction',
    () => storste(Map.groupBy(meldinger.filter(statusendring), ({ sistEndret }) => sistEndret)) - 1,
  ],
  [
    '5: PATCH rounded to an older time, with other content',
    harPar((a, b) => patch(b) && us(a) === us(b) && nano(b) < nano(a) && innhold(a) !== innhold(b)),
  ],
  ['5: PATCH rounded to a newer time', harPar((a, b) => patch(b) && us(a) === us(b) && nano(b) > nano(a))],
  ['6: PATCH with a much older time', harPar((a, b) => patch(b) && us(a) > us(b) + 500_000n)],
  [
    '7: PATCH after a silent change, with a gap in versjon',
    harPar((a, b) => patch(b) && us(a) < us(b) && Number(a['versjon']) < Number(b['versjon'])),
  ],
  ['8: no opphav', har((m) => !('opphav' in m))],
  ['8: AVBRUTT', har(er({ avtaleStatus: 'AVBRUTT' }))],
  ['8: slettemerket', har(er({ slettemerket: true }))],
  ['8: antallDagerPerUke wrongly null', har((m) => m['stillingprosent'] !== null && m['antallDagerPerUke'] === null)],
  [
    '8: utførtAv is the employer’s representative',
    har((m) => m['utførtAvRolle'] === 'ARBEIDSGIVER' && erGyldigFnr(String(m['utførtAv']))),
  ],
  ['8: utførtAv is tiltaksgjennomforing-api', har(er({ utførtAv: 'tiltaksgjennomforing-api' }))],
  ['9: ANNULLERT → PÅBEGYNT', blir('ANNULLERT', 'PÅBEGYNT')],
  ['9: AVSLUTTET → GJENNOMFØRES', blir('AVSLUTTET', 'GJENNOMFØRES')],
  ['9: GJENNOMFØRES → MANGLER_GODKJENNING', blir('GJENNOMFØRES', 'MANGLER_GODKJENNING')],
  ['9: MANGLER_GODKJENNING → PÅBEGYNT', blir('MANGLER_GODKJENNING', 'PÅBEGYNT')],
  [
    '9: wrongly registered and back',
    harPar((a, b) => a['feilregistrert'] === true && b['feilregistrert'] === false && us(a) < us(b)),
  ],
  ['9: deleted and back', harPar((a, b) => a['slettemerket'] === true && b['slettemerket'] === false && us(a) < us(b))],
  [
    '10: godkjentAvBeslutter without avtaleInngått',
    har((m) => m['godkjentAvBeslutter'] !== null && m['avtaleInngått'] === null),
  ],
  [
    '10: godkjentPaVegneAvArbeidsgiver after opphevelse',
    har(er({ godkjentPaVegneAvArbeidsgiver: true, godkjentAvArbeidsgiver: null })),
  ],
  ['11: unknown hendelseType', har(er({ hendelseType: 'NY_HENDELSE_2027' }))],
  ['11: unknown tiltakstype', har(er({ tiltakstype: 'NYTT_TILTAK_2027' }))],
  ['11: unknown avtaleStatus', har(er({ avtaleStatus: 'PÅ_VENT' }))],
  ['11: unknown stillingstype', har(er({ stillingstype: 'DELT_STILLING' }))],
  ['11: unknown opphav', har(er({ opphav: 'ALTINN' }))],
  ['11: extra field', har((m) => 'etNyttFelt' in m)],
  ['12: no participant', har(er({ deltakerFnr: null }))],
  [
    '12: a participant with wrong check digits',
    har((m) => m['deltakerFnr'] !== null && !erGyldigFnr(String(m['deltakerFnr']))),
  ],
  ['12: no employer', har(er({ bedriftNr: '' }))],
  ['13: AVTALE_SLETTET', har(er({ hendelseType: 'AVTALE_SLETTET' }))],
  ['14: in the hour that Oslo had twice', har((m) => harTid(m, /^(2024-10-27|2025-10-26)T02/))],
  [
    '14: in an hour that Oslo never had',
    har((m) => harTid(m, /^(2014-03-30|2019-03-31|2020-03-29|2021-03-28|2023-03-26)T02/)),
  ],
  ['15: MENTOR with a position', har((m) => m['tiltakstype'] === 'MENTOR' && m['stillingprosent'] !== null)],
])('%s', (_, antall) => expect(antall()).toBeGreaterThan(0));

test('8: percents are whole while they were', () => {
  const prosenter = (vilkaar: (m: Melding) => boolean): unknown[] =>
    meldinger.filter(vilkaar).flatMap((m) => m['stillingprosent'] ?? []);
  expect(prosenter((m) => !('opphav' in m)).every(Number.isInteger)).toBe(true);
  expect(prosenter((m) => 'opphav' in m).every(Number.isInteger)).toBe(false);
});

test('14: fractions of none to nine digits', () => {
  const lengde = (tid: unknown): number => /\.(\d+)/.exec(String(tid))?.[1]?.length ?? 0;
  const lengder = (felt: string): number[] => [...new Set(meldinger.map((m) => lengde(m[felt])))].sort();
  expect(lengder('opprettetTidspunkt')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(lengder('sistEndret')).toEqual([0, 3, 6, 9]);
});

test('16: nothing tells who has a protected address', () => {
  expect(FELTER.filter((felt) => /diskresjon|gradering|adresse|skjerm|kode[67]/i.test(felt))).toEqual([]);
});

test('a status follows from the content', () => {
  const uventet = meldinger.filter(
    (m) =>
      (m['avtaleStatus'] === 'ANNULLERT' && m['annullertTidspunkt'] === null) ||
      (['KLAR_FOR_OPPSTART', 'GJENNOMFØRES', 'AVSLUTTET'].includes(String(m['avtaleStatus'])) &&
        m['avtaleInngått'] === null),
  );
  expect(uventet).toEqual([]);
  expect(new Set(meldinger.map((m) => m['avtaleStatus']))).toEqual(
    new Set([
      'PÅBEGYNT',
      'MANGLER_GODKJENNING',
      'KLAR_FOR_OPPSTART',
      'GJENNOMFØRES',
      'AVSLUTTET',
      'ANNULLERT',
      'AVBRUTT',
      'PÅ_VENT',
    ]),
  );
});
