import type { Field as ResourceField, FieldEntry, Reduced } from '@tiltak/resource';
import { CODE_VALUES } from './code-values.ts';

export interface Field extends ResourceField {
  about: 'avtale' | 'person';
  /** coded: stored as the source sent it, so that a value unknown today needs no rebuild tomorrow; published as these */
  codes?: { fromSource: (raw: string) => string };
  /** of an avtale of kind MENTOR it tells of the mentor's position, not of the participant's: not kept (rule 8) */
  nullForMentor?: true;
}

/** The release that first had them, as `since` tells. */
const FIRST = '1.0.0';

/** National idents and Nav idents have 11 and 7 characters. */
const MAX_IDENT = 50;
/** Nine digits, but for very old avtaler. As many as can be asked for. */
export const MAX_BEDRIFT_NR = 20;
const MAX_CODE = 100;
const INT32 = [-(2 ** 31), 2 ** 31 - 1] as const;
const MILLION = [-1_000_000, 1_000_000] as const;

/**
 * The reduced avtale: the only data about an avtale that this system keeps (rule 9 of the source contract), in the order
 * in which it is stored and shown. The columns of a field bear its name in snake case. A new field is a row here, a
 * migration and a line in the DTO; see CONTRIBUTING.
 */
const TABLE = {
  avtaleId: {
    meaning: 'Identifies the avtale for ever; the key of its messages',
    personalData: 'NOKKEL',
    since: FIRST,
    source: 'avtaleId',
    read: 'uuid',
    about: 'avtale',
    required: true,
  },
  avtaleNr: {
    meaning: 'The number people use; null until the source has given one',
    personalData: 'NOKKEL',
    since: FIRST,
    source: 'avtaleNr',
    read: 'integer',
    range: INT32,
    about: 'avtale',
  },
  deltakerFnr: {
    meaning:
      'National ident of the participant (fødselsnummer or D-nummer), 11 digits; the one that the avtale was made with. Null in a few old ones',
    personalData: 'FODSELSNUMMER',
    since: FIRST,
    source: 'deltakerFnr',
    read: 'text',
    maxLength: MAX_IDENT,
    about: 'person',
  },
  bedriftNr: {
    meaning: 'Organisation number of the employer (underenhet), 9 digits; empty or something else in very old avtaler',
    personalData: 'VIRKSOMHET',
    since: FIRST,
    source: 'bedriftNr',
    read: 'text',
    maxLength: MAX_BEDRIFT_NR,
    about: 'avtale',
  },
  // A sole trader's business is often named after them.
  bedriftNavn: {
    meaning: 'Name of the employer, from Enhetsregisteret',
    personalData: 'VIRKSOMHET',
    since: FIRST,
    source: 'bedriftNavn',
    read: 'text',
    maxLength: 1_000,
    about: 'person',
  },
  veilederNavIdent: {
    meaning:
      'NAV-ident of the veileder; null when not assigned. The first assignment comes with the next change of the avtale',
    personalData: 'ANSATT',
    since: FIRST,
    source: 'veilederNavIdent',
    read: 'text',
    maxLength: MAX_IDENT,
    about: 'person',
  },
  tiltakstype: {
    meaning: 'Kind of measure. Never changes',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'tiltakstype',
    read: 'text',
    maxLength: MAX_CODE,
    about: 'avtale',
    codes: CODE_VALUES.tiltakstype,
  },
  versjon: {
    meaning:
      'Version of the content at the source, from 1; one more for each change after the veileder approved. May skip numbers',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'versjon',
    read: 'integer',
    range: INT32,
    about: 'avtale',
  },
  avtaleStatus: {
    meaning:
      'Status, as the source last said. It computes it at night, so it ages: `fase` says where the avtale is on a day',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'avtaleStatus',
    read: 'text',
    maxLength: MAX_CODE,
    about: 'avtale',
    codes: CODE_VALUES.avtaleStatus,
  },
  avtaleInngaatt: {
    meaning: 'When the avtale was entered into by all parties; may become null again, when its approvals are renewed',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'avtaleInngått',
    read: 'osloTime',
    about: 'avtale',
  },
  startDato: {
    meaning: 'First day',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'startDato',
    read: 'date',
    about: 'avtale',
  },
  sluttDato: {
    meaning: 'Last day, included; null when it has no end yet',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'sluttDato',
    read: 'date',
    about: 'avtale',
  },
  stillingprosent: {
    meaning: "The participant's percentage of a full position; null for MENTOR",
    unit: 'percent of a full position',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'stillingprosent',
    read: 'number',
    range: MILLION,
    about: 'avtale',
    nullForMentor: true,
  },
  antallDagerPerUke: {
    meaning: "The participant's days per week; null for MENTOR",
    unit: 'days per week',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'antallDagerPerUke',
    read: 'number',
    range: MILLION,
    about: 'avtale',
    nullForMentor: true,
  },
  stillingstype: {
    meaning: 'Kind of position',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'stillingstype',
    read: 'text',
    maxLength: MAX_CODE,
    about: 'avtale',
    codes: CODE_VALUES.stillingstype,
  },
  godkjentAvDeltaker: {
    meaning: 'When the participant approved',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'godkjentAvDeltaker',
    read: 'osloTime',
    about: 'avtale',
  },
  godkjentAvArbeidsgiver: {
    meaning:
      'When the employer approved. An approval that the employer took back before the participant had approved may still stand here',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'godkjentAvArbeidsgiver',
    read: 'osloTime',
    about: 'avtale',
  },
  godkjentAvVeileder: {
    meaning: 'When the veileder approved',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'godkjentAvVeileder',
    read: 'osloTime',
    about: 'avtale',
  },
  godkjentAvBeslutter: {
    meaning:
      'When the beslutter approved; some kinds of measure need no beslutter. May stand here while avtaleInngaatt is null',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'godkjentAvBeslutter',
    read: 'osloTime',
    about: 'avtale',
  },
  godkjentAvNavIdent: {
    meaning: 'NAV-ident of the veileder who approved',
    personalData: 'ANSATT',
    since: FIRST,
    source: 'godkjentAvNavIdent',
    read: 'text',
    maxLength: MAX_IDENT,
    about: 'person',
  },
  godkjentAvBeslutterNavIdent: {
    meaning: 'NAV-ident of the beslutter who approved',
    personalData: 'ANSATT',
    since: FIRST,
    source: 'godkjentAvBeslutterNavIdent',
    read: 'text',
    maxLength: MAX_IDENT,
    about: 'person',
  },
  godkjentPaaVegneAv: {
    meaning: 'The veileder approved on behalf of the participant',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'godkjentPaVegneAv',
    read: 'boolean',
    about: 'avtale',
  },
  godkjentPaaVegneAvArbeidsgiver: {
    meaning: 'The veileder approved on behalf of the employer. Stays true when the approval is taken back',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'godkjentPaVegneAvArbeidsgiver',
    read: 'boolean',
    about: 'avtale',
  },
  opphav: {
    meaning: 'Who created the avtale; absent in old ones',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'opphav',
    read: 'text',
    maxLength: MAX_CODE,
    about: 'avtale',
    codes: CODE_VALUES.opphav,
  },
  opprettetTidspunkt: {
    meaning: 'When the avtale was created; of those from Arena when Arena registered it, which may be years before',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'opprettetTidspunkt',
    read: 'osloTime',
    about: 'avtale',
  },
  annullertTidspunkt: {
    meaning: 'When the avtale was annulled: when that was registered, not when the person left. May become null again',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'annullertTidspunkt',
    read: 'instant',
    about: 'avtale',
  },
  feilregistrert: {
    meaning:
      'Whether the source takes the avtale for wrongly registered. It is then not shown, and comes back if a later message says otherwise',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'feilregistrert',
    read: 'boolean',
    about: 'avtale',
    internal: true,
  },
  sistEndret: {
    meaning:
      'When the source last changed the avtale, to the microsecond. Which of two messages is the newer is decided by it',
    personalData: 'OM_DELTAKER',
    since: FIRST,
    source: 'sistEndret',
    read: 'instant',
    about: 'avtale',
    required: true,
  },
} as const satisfies Record<string, Field>;

type Table = typeof TABLE;
export type FieldName = keyof Table;

export type Avtale = Reduced<Table>;

/** A field of an avtale that is shown as it is stored. */
export type StoredField = { [F in FieldName]: Table[F] extends { internal: true } ? never : F }[FieldName];

/**
 * A field that a consumer can be granted: those that are stored, `fase`, which is worked out of them for a day (see
 * `phase.ts`), and `hovedenhet`, which virksomheter tell of the employer. Who is granted `fase` may have what it is made
 * of, in that form.
 */
export type AvtaleField = StoredField | 'fase' | 'hovedenhet';

export const FIELDS: Readonly<Record<FieldName, Field>> = TABLE;

export const AVTALE_FIELDS = Object.keys(TABLE) as readonly FieldName[];

export const STORED_FIELDS = AVTALE_FIELDS.filter((name): name is StoredField => !FIELDS[name].internal);

export const GRANTABLE_FIELDS: readonly AvtaleField[] = [...STORED_FIELDS, 'fase', 'hovedenhet'];

/** Of those that can be granted. The last two are none of the source's. */
export const FIELD_ENTRIES: Readonly<Record<AvtaleField, FieldEntry>> = {
  ...TABLE,
  fase: {
    meaning:
      'Where in its life the avtale is on a day in Oslo, by the decision table. Changes at midnight, without a line in the change feed',
    personalData: 'OM_DELTAKER',
    since: '1.1.0',
  },
  hovedenhet: {
    meaning:
      'Organisation number of the top of the chain of units that the employer is below, as virksomheter say now, 9 digits; null when the employer is itself the top, or is not known',
    personalData: 'VIRKSOMHET',
    since: '1.1.0',
  },
};

/**
 * The fields of a message that this system reads, by the source's names: those of the avtale, and whether it is deleted.
 * What an adapter sends is cut down to these.
 */
export const SOURCE_FIELDS: readonly string[] = [...Object.values(FIELDS).map(({ source }) => source), 'slettemerket'];

/** What may be shown of a raw message, by the source's names. A field is hidden until the table says that it is not. */
export const OPEN_SOURCE_FIELDS: ReadonlySet<string> = new Set([
  ...Object.values(FIELDS).flatMap(({ source, about }) => (about === 'avtale' ? source : [])),
  'slettemerket',
  'hendelseType',
]);
