import { epoke } from './epoker.ts';
import type { Tidspunkt } from './klokke.ts';
import { type Dag } from './klokke.ts';

/** A message as the source publishes it: key, and JSON text (or, from nobody we know, something else). */
export interface Kildemelding {
  nokkel: string | null;
  verdi: string | Buffer | null;
}

/** The 94 fields, in the order in which the source's class declares them (source contract, 1.3). */
export const FELTER = [
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
export interface Hendelse {
  hendelseType: string;
  utførtAv: string;
  utførtAvRolle: 'VEILEDER' | 'ARBEIDSGIVER' | 'SYSTEM' | 'DELTAKER' | 'MENTOR' | 'BESLUTTER';
  forkortetGrunn: string | null;
}

type Felt = Exclude<(typeof FELTER)[number], keyof Hendelse>;
type Alltid =
  | 'avtaleStatus'
  | 'avtaleId'
  | 'bedriftNr'
  | 'tiltakstype'
  | 'opprettetTidspunkt'
  | 'sistEndret'
  | 'versjon'
  | 'innholdType';
type Sannhet =
  | 'slettemerket'
  | 'opprettetAvArbeidsgiver'
  | 'godkjentForEtterregistrering'
  | 'feilregistrert'
  | 'godkjentPaVegneAv'
  | 'godkjentPaVegneAvArbeidsgiver';
type Tall =
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
export const TIDER = [
  'annullertTidspunkt',
  'godkjentAvDeltaker',
  'godkjentTaushetserklæringAvMentor',
  'godkjentAvArbeidsgiver',
  'godkjentAvVeileder',
  'godkjentAvBeslutter',
  'avtaleInngått',
  'ikrafttredelsestidspunkt',
] as const satisfies Felt[];
type Sammensatt =
  | 'tilskuddPeriode'
  | 'refusjonKontaktperson'
  | 'maal'
  | 'inkluderingstilskuddsutgift'
  | 'godkjentPaVegneGrunn'
  | 'godkjentPaVegneAvArbeidsgiverGrunn'
  | 'harFamilietilknytning';
type Tekst = Exclude<Felt, Alltid | Sannhet | Tall | (typeof TIDER)[number] | Sammensatt>;

/** An avtale with its current content, in the source's own form. */
export type Innhold = Record<Tekst, string | null> &
  Record<Tall, number | null> &
  Record<(typeof TIDER)[number], Tidspunkt | null> &
  Record<Sannhet, boolean> &
  Record<'tilskuddPeriode' | 'maal' | 'inkluderingstilskuddsutgift', object[]> &
  Record<'refusjonKontaktperson' | 'godkjentPaVegneGrunn' | 'godkjentPaVegneAvArbeidsgiverGrunn', object | null> & {
    avtaleStatus: string;
    avtaleId: string;
    bedriftNr: string;
    tiltakstype: string;
    /** as text where Arena's own registration time was taken over */
    opprettetTidspunkt: Tidspunkt | string;
    sistEndret: Tidspunkt;
    versjon: number;
    innholdType: string;
    harFamilietilknytning: boolean | null;
  };

const HENDELSESFELTER: ReadonlySet<string> = new Set(['hendelseType', 'utførtAv', 'utførtAvRolle', 'forkortetGrunn']);
const INGENTING = Object.fromEntries(FELTER.filter((felt) => !HENDELSESFELTER.has(felt)).map((felt) => [felt, null]));

/** The other fields are null, those that never are get what they begin with. */
export function nyttInnhold(
  verdier: Pick<Innhold, Exclude<Alltid, 'avtaleStatus' | 'versjon' | 'innholdType'>> & Partial<Innhold>,
): Innhold {
  return {
    ...(INGENTING as Record<Tekst | Tall | (typeof TIDER)[number] | Sammensatt, null>),
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
    ...verdier,
  };
}

/**
 * The JSON text as the source wrote it on that day, fields in order. `ekstra`: fields that nobody has heard of yet, last.
 */
export function tilJson(innhold: Innhold, hendelse: Hendelse, dag: Dag, ekstra: object = {}): string {
  const { hendelseType, utførtAv, utførtAvRolle, forkortetGrunn } = hendelse;
  const alle = { hendelseType, ...innhold, utførtAv, utførtAvRolle, forkortetGrunn, ...ekstra };
  if (dag < epoke.desimalprosent && alle.stillingprosent !== null)
    alle.stillingprosent = Math.round(alle.stillingprosent);
  if (dag >= epoke.dagerBorte && dag < epoke.desimalprosent) alle.antallDagerPerUke = null;
  if (dag >= epoke.forkortetGrunn) return JSON.stringify(alle);
  const { forkortetGrunn: _, ...utenGrunn } = alle;
  if (dag >= epoke.opphav) return JSON.stringify(utenGrunn);
  const { opphav: __, ...gammel } = utenGrunn;
  return JSON.stringify(gammel);
}
