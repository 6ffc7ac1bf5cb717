import { epoch } from './epochs.ts';
import type { Moment } from './clock.ts';
import { type Day } from './clock.ts';

/** A message as the source publishes it: key, and JSON text (or, from nobody we know, something else). */
export interface SourceMessage {
  key: string | null;
  value: string | Buffer | null;
}

/** The 94 fields, in the order in which the source's class declares them (source contract, 1.3). */
export const MESSAGE_FIELDS = [
  'hendelseType',
  'avtaleStatus',
  'deltakerFnr',
  'mentorFnr',
  'bedriftNr',
  'veilederNavIdent',
  'tiltakstype',
  'opprettetTidspunkt',
  'avtaleId',
  'avtaleNr',
  'sistEndret',
  'annullertTidspunkt',
  'annullertGrunn',
  'slettemerket',
  'opprettetAvArbeidsgiver',
  'enhetGeografisk',
  'enhetsnavnGeografisk',
  'enhetOppfolging',
  'enhetsnavnOppfolging',
  'godkjentForEtterregistrering',
  'kvalifiseringsgruppe',
  'formidlingsgruppe',
  'tilskuddPeriode',
  'feilregistrert',
  'opphav',
  'versjon',
  'deltakerFornavn',
  'deltakerEtternavn',
  'deltakerTlf',
  'bedriftNavn',
  'arbeidsgiverFornavn',
  'arbeidsgiverEtternavn',
  'arbeidsgiverTlf',
  'veilederFornavn',
  'veilederEtternavn',
  'veilederTlf',
  'oppfolging',
  'tilrettelegging',
  'startDato',
  'sluttDato',
  'stillingprosent',
  'journalpostId',
  'arbeidsoppgaver',
  'stillingstittel',
  'stillingStyrk08',
  'stillingKonseptId',
  'antallDagerPerUke',
  'refusjonKontaktperson',
  'mentorFornavn',
  'mentorEtternavn',
  'mentorOppgaver',
  'mentorAntallTimer',
  'mentorTimelonn',
  'mentorTlf',
  'arbeidsgiverKontonummer',
  'lonnstilskuddProsent',
  'manedslonn',
  'feriepengesats',
  'arbeidsgiveravgift',
  'harFamilietilknytning',
  'familietilknytningForklaring',
  'feriepengerBelop',
  'otpSats',
  'otpBelop',
  'arbeidsgiveravgiftBelop',
  'sumLonnsutgifter',
  'sumLonnstilskudd',
  'manedslonn100pst',
  'sumLønnstilskuddRedusert',
  'datoForRedusertProsent',
  'stillingstype',
  'maal',
  'inkluderingstilskuddsutgift',
  'inkluderingstilskuddBegrunnelse',
  'inkluderingstilskuddTotalBeløp',
  'godkjentAvDeltaker',
  'godkjentTaushetserklæringAvMentor',
  'godkjentAvArbeidsgiver',
  'godkjentAvVeileder',
  'godkjentAvBeslutter',
  'avtaleInngått',
  'ikrafttredelsestidspunkt',
  'godkjentAvNavIdent',
  'godkjentAvBeslutterNavIdent',
  'enhetKostnadssted',
  'enhetsnavnKostnadssted',
  'godkjentPaVegneGrunn',
  'godkjentPaVegneAv',
  'godkjentPaVegneAvArbeidsgiverGrunn',
  'godkjentPaVegneAvArbeidsgiver',
  'innholdType',
  'utførtAv',
  'utførtAvRolle',
  'forkortetGrunn',
] as const;

/** What a hendelse adds to the avtale's own fields. */
export interface Event {
  hendelseType: string;
  utførtAv: string;
  utførtAvRolle: 'VEILEDER' | 'ARBEIDSGIVER' | 'SYSTEM' | 'DELTAKER' | 'MENTOR' | 'BESLUTTER';
  forkortetGrunn: string | null;
}

type Field = Exclude<(typeof MESSAGE_FIELDS)[number], keyof Event>;
type RequiredField =
  | 'avtaleStatus'
  | 'avtaleId'
  | 'bedriftNr'
  | 'tiltakstype'
  | 'opprettetTidspunkt'
  | 'sistEndret'
  | 'versjon'
  | 'innholdType';
type FlagField =
  | 'slettemerket'
  | 'opprettetAvArbeidsgiver'
  | 'godkjentForEtterregistrering'
  | 'feilregistrert'
  | 'godkjentPaVegneAv'
  | 'godkjentPaVegneAvArbeidsgiver';
type NumberField =
  | 'avtaleNr'
  | 'stillingprosent'
  | 'stillingStyrk08'
  | 'stillingKonseptId'
  | 'antallDagerPerUke'
  | 'mentorAntallTimer'
  | 'mentorTimelonn'
  | 'lonnstilskuddProsent'
  | 'manedslonn'
  | 'feriepengesats'
  | 'arbeidsgiveravgift'
  | 'feriepengerBelop'
  | 'otpSats'
  | 'otpBelop'
  | 'arbeidsgiveravgiftBelop'
  | 'sumLonnsutgifter'
  | 'sumLonnstilskudd'
  | 'manedslonn100pst'
  | 'sumLønnstilskuddRedusert'
  | 'inkluderingstilskuddTotalBeløp';
export const TIMES = [
  'annullertTidspunkt',
  'godkjentAvDeltaker',
  'godkjentTaushetserklæringAvMentor',
  'godkjentAvArbeidsgiver',
  'godkjentAvVeileder',
  'godkjentAvBeslutter',
  'avtaleInngått',
  'ikrafttredelsestidspunkt',
] as const satisfies Field[];
type ObjectField =
  | 'tilskuddPeriode'
  | 'refusjonKontaktperson'
  | 'maal'
  | 'inkluderingstilskuddsutgift'
  | 'godkjentPaVegneGrunn'
  | 'godkjentPaVegneAvArbeidsgiverGrunn'
  | 'harFamilietilknytning';
type TextField = Exclude<Field, RequiredField | FlagField | NumberField | (typeof TIMES)[number] | ObjectField>;

/** An avtale with its current content, in the source's own form. */
export type SourceContent = Record<TextField, string | null> &
  Record<NumberField, number | null> &
  Record<(typeof TIMES)[number], Moment | null> &
  Record<FlagField, boolean> &
  Record<'tilskuddPeriode' | 'maal' | 'inkluderingstilskuddsutgift', object[]> &
  Record<'refusjonKontaktperson' | 'godkjentPaVegneGrunn' | 'godkjentPaVegneAvArbeidsgiverGrunn', object | null> & {
    avtaleStatus: string;
    avtaleId: string;
    bedriftNr: string;
    tiltakstype: string;
    /** as text where Arena's own registration time was taken over */
    opprettetTidspunkt: Moment | string;
    sistEndret: Moment;
    versjon: number;
    innholdType: string;
    harFamilietilknytning: boolean | null;
  };

const EVENT_FIELDS: ReadonlySet<string> = new Set(['hendelseType', 'utførtAv', 'utførtAvRolle', 'forkortetGrunn']);
const NOTHING = Object.fromEntries(
  MESSAGE_FIELDS.filter((field) => !EVENT_FIELDS.has(field)).map((field) => [field, null]),
);

/** The other fields are null, those that never are get what they begin with. */
export function newContent(
  values: Pick<SourceContent, Exclude<RequiredField, 'avtaleStatus' | 'versjon' | 'innholdType'>> &
    Partial<SourceContent>,
): SourceContent {
  return {
    ...(NOTHING as Record<TextField | NumberField | (typeof TIMES)[number] | ObjectField, null>),
    avtaleStatus: 'PÅBEGYNT',
    slettemerket: false,
    opprettetAvArbeidsgiver: false,
    godkjentForEtterregistrering: false,
    tilskuddPeriode: [],
    feilregistrert: false,
    versjon: 1,
    maal: [],
    inkluderingstilskuddsutgift: [],
    inkluderingstilskuddTotalBeløp: 0,
    godkjentPaVegneAv: false,
    godkjentPaVegneAvArbeidsgiver: false,
    innholdType: 'INNGÅ',
    ...values,
  };
}

/**
 * The JSON text as the source wrote it on that day, fields in order. `extra`: fields that nobody has heard of yet, last.
 */
export function toJson(content: SourceContent, event: Event, day: Day, extra: object = {}): string {
  const { hendelseType, utførtAv, utførtAvRolle, forkortetGrunn } = event;
  const all = { hendelseType, ...content, utførtAv, utførtAvRolle, forkortetGrunn, ...extra };
  if (day < epoch.decimalPercent && all.stillingprosent !== null) all.stillingprosent = Math.round(all.stillingprosent);
  if (day >= epoch.daysMissing && day < epoch.decimalPercent) all.antallDagerPerUke = null;
  if (day >= epoch.forkortetGrunn) return JSON.stringify(all);
  const { forkortetGrunn: _, ...withoutReason } = all;
  if (day >= epoch.opphav) return JSON.stringify(withoutReason);
  const { opphav: __, ...old } = withoutReason;
  return JSON.stringify(old);
}
