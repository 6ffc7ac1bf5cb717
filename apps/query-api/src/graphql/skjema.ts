import { AVTALESTATUSER, OPPHAV, STILLINGSTYPER, TILTAKSTYPER } from '@tiltak/avtale';
import { kolonnenavn } from '@tiltak/database';
import { assertObjectType, buildSchema } from 'graphql';
import { FELTER, tilRfc3339, tilVerdi, type Felt, type Rad, type Utvalg } from '../avtaler/felter.ts';

const enumAv = (navn: string, verdier: readonly string[]): string => `enum ${navn} { ${verdier.join(' ')} }`;

/**
 * The schema that the service before this one published: its clients send documents, and were generated from it, so no
 * name, type or nullability here can change. What is new: `UKJENT`, and values that the source has got since.
 */
export const skjema = buildSchema(`
"RFC 3339 with offset, to the microsecond"
scalar DateTime @specifiedBy(url: "https://www.rfc-editor.org/rfc/rfc3339")
"YYYY-MM-DD"
scalar Date

"UKJENT: a value that is new at the source"
${enumAv('Tiltakstype', TILTAKSTYPER)}
${enumAv('AvtaleStatus', AVTALESTATUSER)}
${enumAv('Stillingstype', STILLINGSTYPER)}
${enumAv('Opphav', OPPHAV)}

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
  endringMottattTidspunkt: DateTime
  opphav: Opphav
}

type Query {
  "By id, by number, or, with both, the one that has both"
  avtale(avtaleId: ID, avtaleNr: Int): Avtale
  avtalerForPerson(personnummer: String): [Avtale]!
  avtalerForBedrift(organisasjonsnummer: String): [Avtale]!
  avtalerForTiltakstype(tiltakstype: Tiltakstype): [Avtale]!
  avtalerForStatus(status: AvtaleStatus): [Avtale]!
}
`);

/** How a field of the type Avtale is answered, and the field that a consumer must be granted for it. */
export interface Feltkilde {
  les: Utvalg;
  krever: Felt;
  /** @param rad read with `les` */
  verdi: (rad: Rad) => unknown;
}

const ANDRE_KILDER: Record<string, Feltkilde> = {
  endretTidspunkt: kildeFra('sistEndret'),
  endringMottattTidspunkt: {
    les: 'mottatt',
    krever: 'sistEndret',
    verdi: ({ mottatt = null }) => mottatt && tilRfc3339(String(mottatt)),
  },
};

/** By the name of the field, in the order of the schema. */
export const KILDER: ReadonlyMap<string, Feltkilde> = new Map(
  Object.keys(assertObjectType(skjema.getType('Avtale')).getFields()).map((navn) => [navn, kildeTil(navn)]),
);

function kildeTil(navn: string): Feltkilde {
  const felt = FELTER.find((kjent) => kjent === navn);
  const kilde = felt ? kildeFra(felt) : ANDRE_KILDER[navn];
  if (!kilde) throw new Error(`The field ${navn} of the GraphQL schema is read from nowhere`);
  return kilde;
}

function kildeFra(felt: Felt): Feltkilde {
  const kolonne = kolonnenavn(felt);
  const verdi = tilVerdi(felt);
  return { les: felt, krever: felt, verdi: (rad) => verdi(rad[kolonne] ?? null) };
}
