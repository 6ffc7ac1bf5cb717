import { readFileSync } from 'node:fs';
import { isValidFnr, isValidOrgnr } from '@tiltak/testing';
import { createEvents } from './events.ts';

/** What the source is known to send (section 8 of its contract) must all be in what the simulator sends. */

type Message = Record<string, unknown>;

const COUNT = 20_000;
const texts = Array.from(createEvents({ count: COUNT, seed: 42 }), ({ value }) => String(value));
const messages = texts.map((text) => JSON.parse(text) as Message);

/** Table 1.3 of the contract, in its order. */
const FIELDS = `
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
  expect(FIELDS).toHaveLength(94);
  const without = (...fields: string[]): string => FIELDS.filter((field) => !fields.includes(field)).join();
  const former = new Set(messages.map((m) => Object.keys(m).join()));
  expect(former).toEqual(
    new Set([without(), without('forkortetGrunn'), without('opphav', 'forkortetGrunn'), `${without()},etNyttFelt`]),
  );
  // And what was seen from the source.
  const file = readFileSync(new URL('./data/avtale-events.jsonl', import.meta.url), 'utf8');
  const seen = file.trimEnd().split('\n');
  expect(new Set(seen.map((line) => Object.keys(JSON.parse(line) as Message).join()))).toEqual(
    new Set([without(), without('opphav', 'forkortetGrunn')]),
  );
});

test('messages are as large as the source sends them', () => {
  const bytes = texts.map((text) => Buffer.byteLength(text));
  const middle = bytes.reduce((sum, n) => sum + n, 0) / COUNT;
  expect(middle).toBeGreaterThan(2_400);
  expect(middle).toBeLessThan(4_000);
  expect(Math.max(...bytes)).toBeLessThan(6_200);
});

test('idents are synthetic', () => {
  const fnr = messages
    .flatMap((m) => [m['deltakerFnr'], m['mentorFnr'], m['utførtAv']])
    .filter((v) => /^\d{11}$/.test(String(v)));
  expect(fnr.filter((v) => Number(String(v).slice(2, 4)) <= 40)).toEqual([]);
  expect(messages.filter((m) => m['bedriftNr'] !== '' && !isValidOrgnr(String(m['bedriftNr'])))).toEqual([]);
});

/** Microseconds, rounded half up. */
const us = (m: Message): bigint => {
  const [whole, fraction = ''] = String(m['sistEndret']).replace('Z', '').split('.');
  return BigInt(Date.parse(`${String(whole)}Z`)) * 1_000n + (BigInt(fraction.padEnd(9, '0')) + 500n) / 1_000n;
};
const nano = (m: Message): string => (/\.(\d+)Z/.exec(String(m['sistEndret']))?.[1] ?? '').padEnd(9, '0');
const content = ({
  hendelseType: _,
  utførtAv: __,
  utførtAvRolle: ___,
  forkortetGrunn: ____,
  ...all
}: Message): string => JSON.stringify({ ...all, sistEndret: null });
const hasTime = (m: Message, pattern: RegExp): boolean =>
  ['opprettetTidspunkt', 'godkjentAvDeltaker', 'godkjentAvArbeidsgiver', 'avtaleInngått'].some((field) =>
    pattern.test(String(m[field])),
  );

const is =
  (fields: Message) =>
  (m: Message): boolean =>
    Object.entries(fields).every(([field, value]) => m[field] === value);
const has =
  (what: (m: Message) => unknown): (() => number) =>
  () =>
    messages.filter(what).length;
/** Messages about the same avtale, one right after the other. */
const pairs = [...Map.groupBy(messages, ({ avtaleId }) => avtaleId).values()].flatMap((life) =>
  life.slice(1).map((m, i) => [life[i] ?? m, m] as const),
);
const hasPair =
  (what: (before: Message, after: Message) => unknown): (() => number) =>
  () =>
    pairs.filter(([before, after]) => what(before, after)).length;
const largest = (groups: Map<unknown, Message[]>): number =>
  Math.max(...[...groups.values()].map(({ length }) => length));
const statusendring = is({ hendelseType: 'STATUSENDRING' });
const patch = is({ hendelseType: 'PATCH' });
const becomes = (from: string, to: string): (() => number) =>
  hasPair((a, b) => a['avtaleStatus'] === from && b['avtaleStatus'] === to && us(b) > us(a));

test.each<[string, () => number]>([
  [
    '1: created without avtaleNr and content',
    has((m) => /^OPPRETTET/.test(String(m['hendelseType'])) && m['avtaleNr'] === null && m['startDato'] === null),
  ],
  [
    '1: bursts of ENDRET',
    hasPair((a, b) => a['hendelseType'] === 'ENDRET' && b['hendelseType'] === 'ENDRET' && us(b) - us(a) < 60_000_000n),
  ],
  ['1: ENDRET of a copy without avtaleNr', has(is({ hendelseType: 'ENDRET', avtaleNr: null }))],
  [
    '2: from Arena, years back',
    has(
      (m) =>
        is({ hendelseType: 'OPPRETTET_AV_ARENA', veilederNavIdent: null })(m) &&
        String(m['opprettetTidspunkt']) < '2024',
    ),
  ],
  ['2: from Arena without sluttDato', has(is({ hendelseType: 'OPPRETTET_AV_ARENA', sluttDato: null }))],
  [
    '3: several messages of one save',
    hasPair(
      (a, b) =>
        a['hendelseType'] !== b['hendelseType'] && a['sistEndret'] === b['sistEndret'] && content(a) === content(b),
    ),
  ],
  ['3: the same message twice', hasPair((a, b) => JSON.stringify(a) === JSON.stringify(b))],
  [
    '3: ENDRET with nothing changed',
    hasPair((a, b) => b['hendelseType'] === 'ENDRET' && us(a) < us(b) && content(a) === content(b)),
  ],
  [
    '4: STATUSENDRING with the old time',
    hasPair((a, b) => statusendring(b) && us(a) === us(b) && a['avtaleStatus'] !== b['avtaleStatus']),
  ],
  ['4: STATUSENDRING with a new time', hasPair((a, b) => statusendring(b) && us(a) < us(b))],
  [
    '4: STATUSENDRING in a burst of one transaction',
    () => largest(Map.groupBy(messages.filter(statusendring), ({ sistEndret }) => sistEndret)) - 1,
  ],
  [
    '5: PATCH rounded to an older time, with other content',
    hasPair((a, b) => patch(b) && us(a) === us(b) && nano(b) < nano(a) && content(a) !== content(b)),
  ],
  ['5: PATCH rounded to a newer time', hasPair((a, b) => patch(b) && us(a) === us(b) && nano(b) > nano(a))],
  ['6: PATCH with a much older time', hasPair((a, b) => patch(b) && us(a) > us(b) + 500_000n)],
  [
    '7: PATCH after a silent change, with a gap in versjon',
    hasPair((a, b) => patch(b) && us(a) < us(b) && Number(a['versjon']) < Number(b['versjon'])),
  ],
  ['8: no opphav', has((m) => !('opphav' in m))],
  ['8: AVBRUTT', has(is({ avtaleStatus: 'AVBRUTT' }))],
  ['8: slettemerket', has(is({ slettemerket: true }))],
  ['8: antallDagerPerUke wrongly null', has((m) => m['stillingprosent'] !== null && m['antallDagerPerUke'] === null)],
  [
    '8: utførtAv is the employer’s representative',
    has((m) => m['utførtAvRolle'] === 'ARBEIDSGIVER' && isValidFnr(String(m['utførtAv']))),
  ],
  ['8: utførtAv is tiltaksgjennomforing-api', has(is({ utførtAv: 'tiltaksgjennomforing-api' }))],
  ['9: ANNULLERT → PÅBEGYNT', becomes('ANNULLERT', 'PÅBEGYNT')],
  ['9: AVSLUTTET → GJENNOMFØRES', becomes('AVSLUTTET', 'GJENNOMFØRES')],
  ['9: GJENNOMFØRES → MANGLER_GODKJENNING', becomes('GJENNOMFØRES', 'MANGLER_GODKJENNING')],
  ['9: MANGLER_GODKJENNING → PÅBEGYNT', becomes('MANGLER_GODKJENNING', 'PÅBEGYNT')],
  [
    '9: wrongly registered and back',
    hasPair((a, b) => a['feilregistrert'] === true && b['feilregistrert'] === false && us(a) < us(b)),
  ],
  [
    '9: deleted and back',
    hasPair((a, b) => a['slettemerket'] === true && b['slettemerket'] === false && us(a) < us(b)),
  ],
  [
    '10: godkjentAvBeslutter without avtaleInngått',
    has((m) => m['godkjentAvBeslutter'] !== null && m['avtaleInngått'] === null),
  ],
  [
    '10: godkjentPaVegneAvArbeidsgiver after opphevelse',
    has(is({ godkjentPaVegneAvArbeidsgiver: true, godkjentAvArbeidsgiver: null })),
  ],
  ['11: unknown hendelseType', has(is({ hendelseType: 'NY_HENDELSE_2027' }))],
  ['11: unknown tiltakstype', has(is({ tiltakstype: 'NYTT_TILTAK_2027' }))],
  ['11: unknown avtaleStatus', has(is({ avtaleStatus: 'PÅ_VENT' }))],
  ['11: unknown stillingstype', has(is({ stillingstype: 'DELT_STILLING' }))],
  ['11: unknown opphav', has(is({ opphav: 'ALTINN' }))],
  ['11: extra field', has((m) => 'etNyttFelt' in m)],
  ['12: no participant', has(is({ deltakerFnr: null }))],
  [
    '12: a participant with wrong check digits',
    has((m) => m['deltakerFnr'] !== null && !isValidFnr(String(m['deltakerFnr']))),
  ],
  ['12: no employer', has(is({ bedriftNr: '' }))],
  ['13: AVTALE_SLETTET', has(is({ hendelseType: 'AVTALE_SLETTET' }))],
  ['14: in the hour that Oslo had twice', has((m) => hasTime(m, /^(2024-10-27|2025-10-26)T02/))],
  [
    '14: in an hour that Oslo never had',
    has((m) => hasTime(m, /^(2014-03-30|2019-03-31|2020-03-29|2021-03-28|2023-03-26)T02/)),
  ],
  ['15: MENTOR with a position', has((m) => m['tiltakstype'] === 'MENTOR' && m['stillingprosent'] !== null)],
])('%s', (_, count) => expect(count()).toBeGreaterThan(0));

test('8: percents are whole while they were', () => {
  const percents = (conditions: (m: Message) => boolean): unknown[] =>
    messages.filter(conditions).flatMap((m) => m['stillingprosent'] ?? []);
  expect(percents((m) => !('opphav' in m)).every(Number.isInteger)).toBe(true);
  expect(percents((m) => 'opphav' in m).every(Number.isInteger)).toBe(false);
});

test('14: fractions of none to nine digits', () => {
  const length = (time: unknown): number => /\.(\d+)/.exec(String(time))?.[1]?.length ?? 0;
  const lengths = (field: string): number[] => [...new Set(messages.map((m) => length(m[field])))].sort();
  expect(lengths('opprettetTidspunkt')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(lengths('sistEndret')).toEqual([0, 3, 6, 9]);
});

test('16: nothing tells who has a protected address', () => {
  expect(FIELDS.filter((field) => /diskresjon|gradering|adresse|skjerm|kode[67]/i.test(field))).toEqual([]);
});

test('a status follows from the content', () => {
  const unexpected = messages.filter(
    (m) =>
      (m['avtaleStatus'] === 'ANNULLERT' && m['annullertTidspunkt'] === null) ||
      (['KLAR_FOR_OPPSTART', 'GJENNOMFØRES', 'AVSLUTTET'].includes(String(m['avtaleStatus'])) &&
        m['avtaleInngått'] === null),
  );
  expect(unexpected).toEqual([]);
  expect(new Set(messages.map((m) => m['avtaleStatus']))).toEqual(
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
