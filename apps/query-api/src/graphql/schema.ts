import { AVTALESTATUSER, FASER, OPPHAV, STILLINGSTYPER, TILTAKSTYPER } from '@tiltak/avtale';
import { buildSchema, type GraphQLSchema } from 'graphql';

/**
 * What consumers that come from the service before this one are answered in: `gammel` is the schema that it published,
 * and closed. Clients were generated from it, so no name, type or nullability in it can change.
 */
export type Dialect = 'ny' | 'gammel';

type EnumName = 'Tiltakstype' | 'AvtaleStatus' | 'Stillingstype' | 'Opphav';

/** As they were: what the source has got since is not here. */
const EARLIER_ENUMS: Record<EnumName, readonly string[]> = {
  Tiltakstype: [
    'ARBEIDSTRENING',
    'MIDLERTIDIG_LONNSTILSKUDD',
    'VARIG_LONNSTILSKUDD',
    'MENTOR',
    'INKLUDERINGSTILSKUDD',
    'SOMMERJOBB',
    'VTAO',
    'FIREARIG_LONNSTILSKUDD',
  ],
  AvtaleStatus: [
    'ANNULLERT',
    'AVBRUTT',
    'PAABEGYNT',
    'MANGLER_GODKJENNING',
    'KLAR_FOR_OPPSTART',
    'GJENNOMFORES',
    'AVSLUTTET',
  ],
  Stillingstype: ['FAST', 'MIDLERTIDIG'],
  Opphav: ['VEILEDER', 'ARBEIDSGIVER', 'ARENA'],
};

/** `UKJENT`, a value that is new at the source, is new here too. */
const ENUMS: Record<EnumName, readonly string[]> = {
  Tiltakstype: TILTAKSTYPER,
  AvtaleStatus: AVTALESTATUSER,
  Stillingstype: STILLINGSTYPER,
  Opphav: OPPHAV,
};

const OWN_FIELDS = `
  "The same by the name that REST would give it"
  endringMottattTidspunkt: DateTime
  fase: Fase
  "It was annulled after it had begun: when the person left is not known"
  annullertUnderveis: Boolean`;

const OWN_TYPES = `
"Where in its life an avtale is, today in Oslo"
${enumOf('Fase', FASER)}`;

function enumOf(name: string, values: readonly string[]): string {
  return `enum ${name} { ${values.join(' ')} }`;
}

function sdl(enums: Record<EnumName, readonly string[]>, ownFields = '', ownTypes = ''): string {
  return `
"A moment, with its offset"
scalar DateTime
"YYYY-MM-DD"
scalar Date @specifiedBy(url: "https://tools.ietf.org/html/rfc3339")
"Used by nothing"
scalar LocalDateTime
${Object.entries(enums)
  .map(([name, values]) => enumOf(name, values))
  .join('\n')}
${ownTypes}

"Agreement on a measure, between a participant, an employer and Nav"
type Avtale {
  avtaleId: ID
  avtaleNr: Int
  deltakerFnr: String
  bedriftNr: String
  veilederNavIdent: String
  tiltakstype: Tiltakstype
  versjon: Int
  avtaleStatus: AvtaleStatus
  avtaleInngaatt: DateTime
  startDato: Date
  sluttDato: Date
  stillingprosent: Float
  antallDagerPerUke: Float
  godkjentAvDeltaker: DateTime
  godkjentAvArbeidsgiver: DateTime
  godkjentAvVeileder: DateTime
  godkjentAvBeslutter: DateTime
  godkjentPaaVegneAv: Boolean
  godkjentPaaVegneAvArbeidsgiver: Boolean
  stillingstype: Stillingstype
  godkjentAvNavIdent: String
  godkjentAvBeslutterNavIdent: String
  opprettetTidspunkt: DateTime
  "When the source last changed it"
  endretTidspunkt: DateTime
  "When this system learned of that change"
  endring_mottatt_tidspunkt: DateTime
  opphav: Opphav${ownFields}
}

type Query {
  avtalerForPerson(personnummer: String): [Avtale]!
  avtalerForBedrift(organisasjonsnummer: String): [Avtale]!
  "By id, or else by number"
  avtale(avtaleId: ID, avtaleNr: Int): Avtale
  avtalerForTiltakstype(tiltakstype: Tiltakstype): [Avtale]!
  avtalerForStatus(status: AvtaleStatus): [Avtale]!
}
`;
}

export const SCHEMAS: Readonly<Record<Dialect, GraphQLSchema>> = {
  ny: buildSchema(sdl(ENUMS, OWN_FIELDS, OWN_TYPES)),
  gammel: buildSchema(sdl(EARLIER_ENUMS)),
};
