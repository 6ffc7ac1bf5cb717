import type { AvtaleField } from '@tiltak/avtale';
import type { Operation } from '../access/operations.ts';

/** What an ordinary person is told: nothing here needs to be known of this system, or of any. */

/** The kinds of information that fields are of, in the order in which they are told. */
export const KINDS = {
  HVEM: 'hvem du er (fødselsnummer)',
  HVILKEN: 'hvilken avtale det gjelder (avtalens nummer)',
  TILTAK: 'hva slags tiltak du er eller har vært på',
  STATUS: 'hvor langt avtalen er kommet, for eksempel om den gjennomføres eller er avsluttet',
  PERIODE: 'når tiltaket begynner og slutter',
  STILLING: 'hvor mye du arbeider, og hva slags stilling det er',
  ARBEIDSGIVER: 'hvilken arbeidsgiver avtalen er med',
  NAV: 'hvem i Nav som følger opp eller har godkjent avtalen',
  GODKJENNING: 'hvem som har godkjent avtalen, og når',
  HISTORIKK: 'når og hvordan avtalen er laget eller endret',
} as const;

export type Kind = keyof typeof KINDS;

export const KIND_OF: Readonly<Record<AvtaleField, Kind>> = {
  avtaleId: 'HVILKEN',
  avtaleNr: 'HVILKEN',
  deltakerFnr: 'HVEM',
  bedriftNr: 'ARBEIDSGIVER',
  bedriftNavn: 'ARBEIDSGIVER',
  veilederNavIdent: 'NAV',
  tiltakstype: 'TILTAK',
  versjon: 'HISTORIKK',
  avtaleStatus: 'STATUS',
  avtaleInngaatt: 'GODKJENNING',
  startDato: 'PERIODE',
  sluttDato: 'PERIODE',
  stillingprosent: 'STILLING',
  antallDagerPerUke: 'STILLING',
  stillingstype: 'STILLING',
  godkjentAvDeltaker: 'GODKJENNING',
  godkjentAvArbeidsgiver: 'GODKJENNING',
  godkjentAvVeileder: 'GODKJENNING',
  godkjentAvBeslutter: 'GODKJENNING',
  godkjentAvNavIdent: 'NAV',
  godkjentAvBeslutterNavIdent: 'NAV',
  godkjentPaaVegneAv: 'GODKJENNING',
  godkjentPaaVegneAvArbeidsgiver: 'GODKJENNING',
  opphav: 'HISTORIKK',
  opprettetTidspunkt: 'HISTORIKK',
  annullertTidspunkt: 'STATUS',
  sistEndret: 'HISTORIKK',
  fase: 'STATUS',
  hovedenhet: 'ARBEIDSGIVER',
};

/** How it was asked. Who asks in a way that is not here any more, asked for avtaler. */
const WAYS: Partial<Record<Operation | 'analyse', string>> = {
  hentTiltaksstatus: 'Spurte om du er på et tiltak en bestemt dag',
  sokAvtaler: 'Søkte etter avtaler',
  hentUtdrag: 'Søkte etter avtaler, og fikk et utdrag',
  hentAvtale: 'Slo opp en bestemt avtale',
  hentAvtaleMedNummer: 'Slo opp en bestemt avtale',
  hentVersjoner: 'Så hvordan en avtale har endret seg',
  hentDeltakersAvtaler: 'Slo opp avtalene dine',
  hentBedriftensAvtaler: 'Slo opp avtalene til en arbeidsgiver',
  hentEndringer: 'Hentet en liste over avtaler som er endret',
  eksporterAvtaler: 'Hentet en samlet liste over avtaler',
  hentStatistikk: 'Hentet statistikk, der ingen er nevnt',
  analyse: 'Laget et datagrunnlag for analyse, uten fødselsnummer og navn',
};

export const wayOf = (operation: string): string => WAYS[operation as Operation] ?? 'Slo opp avtaler';

export const HOW = {
  FIKK: 'Fikk opplysninger om deg',
  AVSLAG: 'Spurte, men fikk ikke svar',
  KAN_HA_FATT: 'Kan ha fått opplysninger om deg',
} as const;

export const EXPLANATIONS: readonly (readonly [word: string, meaning: string])[] = [
  ['Avtale', 'En avtale om et arbeidsmarkedstiltak mellom deg, en arbeidsgiver og Nav.'],
  [
    'Oppslag',
    'At noen har spurt dette systemet om avtaler. Det er datasystemer som spør, på vegne av den virksomheten som står oppført.',
  ],
  [
    'Formål og rettslig grunnlag',
    'Hva virksomheten skal bruke opplysningene til, og hvilken regel som gir den lov til det. Står det bare en lenke, er det beskrevet der.',
  ],
  [
    'Fikk opplysninger om deg',
    'Virksomheten spurte om deg, eller du var med i svaret. Det er også regnet med når svaret var at du ikke er på noe tiltak.',
  ],
  ['Spurte, men fikk ikke svar', 'Virksomheten spurte om deg, men hadde ikke lov. Den fikk ikke vite noe.'],
  [
    'Kan ha fått opplysninger om deg',
    'Virksomheten hentet en samlet liste eller statistikk uten at vi har notert hvem som var med. Du kan ha vært med, og vi kan ikke utelukke det.',
  ],
];

const UNKNOWN: readonly string[] = [
  'Vi vet hvilket system som spurte, men ikke hvilken ansatt som eventuelt leste svaret. Det må du spørre virksomheten om.',
  'Vi vet ikke hva virksomheten har brukt opplysningene til etterpå.',
  'Når noen har hentet samlede lister, vet vi hvilke typer opplysninger de fikk, men ikke alltid om du var med. De står som «kan ha fått».',
  'Oppslag fra før dette systemet ble tatt i bruk, og oppslag direkte i Navs fagsystem, står ikke her.',
];

/** What is not known, of this report. */
export function unknownIn({ lost }: { lost: readonly { maaned: string; isFirst: boolean }[] }): readonly string[] {
  const months = lost.map(
    ({ maaned: month, isFirst }) => `${isFirst ? 'til og med ' : ''}${month.slice(4)}.${month.slice(0, 4)}`,
  );
  return months.length === 0
    ? UNKNOWN
    : [...UNKNOWN, `Oppslag i disse månedene er slettet, og står ikke her: ${months.join(', ')}.`];
}
