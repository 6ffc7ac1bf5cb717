/** A message as the source publishes it: key, and JSON text (or, from nobody we know, something else). */
export interface Kildemelding {
  nokkel: string | null;
  verdi: string | Buffer | null;
}

/** The 94 fields, in the order in which the source's class declares them. */
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

export type Felt = (typeof FELTER)[number];

/** The source's form of an avtale, without what a hendelse adds to it. */
export type Innhold = Record<Exclude<Felt, 'hendelseType' | 'utførtAv' | 'utførtAvRolle' | 'forkortetGrunn'>, unknown>;

export interface Hendelse {
  hendelseType: string;
  utførtAv: string;
  utførtAvRolle: string;
  forkortetGrunn: string | null;
}

/** Fields that messages from before 2024-11 do not have. */
const NYE_FELTER: ReadonlySet<Felt> = new Set<Felt>(['opphav', 'forkortetGrunn']);

/** The JSON text, all fields in order; `gammel` as the source wrote it before it had them all. */
export function tilJson(innhold: Innhold, hendelse: Hendelse, gammel: boolean): string {
  const alle: Record<Felt, unknown> = { ...innhold, ...hendelse };
  const felter = gammel ? FELTER.filter((felt) => !NYE_FELTER.has(felt)) : FELTER;
  return JSON.stringify(Object.fromEntries(felter.map((felt) => [felt, alle[felt] ?? null])));
}
