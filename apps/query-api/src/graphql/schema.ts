import {
  AVTALESTATUSER,
  FASER,
  OPPHAV,
  STILLINGSTYPER,
  TILTAKSTYPER,
  GRANTABLE_FIELDS,
  type AvtaleField,
} from '@tiltak/avtale';
import { columnName } from '@tiltak/database';
import { assertObjectType, buildSchema } from 'graphql';
import { toRfc3339, valueReader, type AvtaleRow, type Selection } from '../avtaler/avtaler.fields.ts';

const enumOf = (name: string, values: readonly string[]): string => `enum ${name} { ${values.join(' ')} }`;

/**
 * The schema that the service before this one published: its clients send documents, and were generated from it, so no
 * name, type or nullability here can change. What is new: `UKJENT`, and values that the source has got since.
 */
export const schema = buildSchema(`
"RFC 3339 with offset, to the microsecond"
scalar DateTime @specifiedBy(url: "https://www.rfc-editor.org/rfc/rfc3339")
"YYYY-MM-DD"
scalar Date

"UKJENT: a value that is new at the source"
${enumOf('Tiltakstype', TILTAKSTYPER)}
${enumOf('AvtaleStatus', AVTALESTATUSER)}
${enumOf('Stillingstype', STILLINGSTYPER)}
${enumOf('Opphav', OPPHAV)}
"Where in its life an avtale is, today in Oslo"
${enumOf('Fase', FASER)}

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
  fase: Fase
  "It was annulled after it had begun: when the person left is not known"
  annullertUnderveis: Boolean
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

/** The field of an avtale that each argument reads: to search by it tells as much as to be answered with it. */
const SEARCHED_BY: Record<string, AvtaleField> = {
  avtaleId: 'avtaleId',
  avtaleNr: 'avtaleNr',
  personnummer: 'deltakerFnr',
  organisasjonsnummer: 'bedriftNr',
  tiltakstype: 'tiltakstype',
  status: 'avtaleStatus',
};

/** By the name of the argument, for every one of the schema. */
export const ARGUMENT_FIELDS: ReadonlyMap<string, AvtaleField> = new Map(
  Object.values(assertObjectType(schema.getQueryType()).getFields())
    .flatMap(({ args }) => args)
    .map(({ name }) => {
      const field = SEARCHED_BY[name];
      if (!field) throw new Error(`The argument ${name} of the GraphQL schema reads no known field`);
      return [name, field];
    }),
);

/** How a field of the type Avtale is answered, and the field that a consumer must be granted for it. */
export interface FieldSource {
  read: Selection;
  requires: AvtaleField;
  /** @param row read with `read` */
  value: (row: AvtaleRow) => unknown;
}

const OTHER_SOURCES: Record<string, FieldSource> = {
  annullertUnderveis: {
    read: 'fase',
    requires: 'fase',
    value: ({ annullert_underveis: underway = null }) => underway,
  },
  endretTidspunkt: sourceFrom('sistEndret'),
  endringMottattTidspunkt: {
    read: 'mottatt',
    requires: 'sistEndret',
    value: ({ mottatt: received = null }) => received && toRfc3339(String(received)),
  },
};

/** By the name of the field, in the order of the schema. */
export const FIELD_SOURCES: ReadonlyMap<string, FieldSource> = new Map(
  Object.keys(assertObjectType(schema.getType('Avtale')).getFields()).map((name) => [name, sourceTo(name)]),
);

function sourceTo(name: string): FieldSource {
  const field = GRANTABLE_FIELDS.find((known) => known === name);
  const source = field ? sourceFrom(field) : OTHER_SOURCES[name];
  if (!source) throw new Error(`The field ${name} of the GraphQL schema is read from nowhere`);
  return source;
}

function sourceFrom(field: AvtaleField): FieldSource {
  const column = columnName(field);
  const toValue = valueReader(field);
  return { read: field, requires: field, value: (row) => toValue(row[column] ?? null) };
}
