import { CODE_VALUES } from './code-values.ts';

/** UTC, `YYYY-MM-DDTHH:mm:ss.ffffffZ`; text order is time order. */
export type Instant = string;

/** What a field holds when it is there, by how it is read. */
export interface Values {
  uuid: string;
  text: string;
  /** of 32 bits */
  integer: number;
  number: number;
  /** false when the source doesn't say */
  boolean: boolean;
  /** `YYYY-MM-DD` */
  date: string;
  /** the source's `LocalDateTime`: a wall-clock time in Oslo */
  osloTime: Instant;
  /** the source's `Instant`: a time with offset */
  instant: Instant;
}

export interface Field {
  /** its name at the source */
  source: string;
  read: keyof Values;
  /** `person`: can tell who somebody is. Hidden wherever people look at raw messages. */
  about: 'avtale' | 'person';
  /** a message without it can't be used */
  required?: true;
  /**
   * of a text: the most characters it may have. Far more than the source sends, and so few that every index can hold
   * them (2,704 bytes of all its columns together): a row that an index refuses would be tried for ever
   */
  maxLength?: number;
  /** of a number: the least and the most */
  range?: readonly [min: number, max: number];
  /** coded: stored as the source sent it, so that a value unknown today needs no rebuild tomorrow; published as these */
  codes?: { fromSource: (raw: string) => string };
  /** of an avtale of kind MENTOR it tells of the mentor's position, not of the participant's: not kept (rule 8) */
  nullForMentor?: true;
  /** decides whether an avtale is shown, and is not itself shown: no consumer can be granted it */
  internal?: true;
}

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
  avtaleId: { source: 'avtaleId', read: 'uuid', about: 'avtale', required: true },
  avtaleNr: { source: 'avtaleNr', read: 'integer', range: INT32, about: 'avtale' },
  deltakerFnr: { source: 'deltakerFnr', read: 'text', maxLength: MAX_IDENT, about: 'person' },
  bedriftNr: { source: 'bedriftNr', read: 'text', maxLength: MAX_BEDRIFT_NR, about: 'avtale' },
  // A sole trader's business is often named after them.
  bedriftNavn: { source: 'bedriftNavn', read: 'text', maxLength: 1_000, about: 'person' },
  veilederNavIdent: { source: 'veilederNavIdent', read: 'text', maxLength: MAX_IDENT, about: 'person' },
  tiltakstype: {
    source: 'tiltakstype',
    read: 'text',
    maxLength: MAX_CODE,
    about: 'avtale',
    codes: CODE_VALUES.tiltakstype,
  },
  versjon: { source: 'versjon', read: 'integer', range: INT32, about: 'avtale' },
  avtaleStatus: {
    source: 'avtaleStatus',
    read: 'text',
    maxLength: MAX_CODE,
    about: 'avtale',
    codes: CODE_VALUES.avtaleStatus,
  },
  avtaleInngaatt: { source: 'avtaleInngått', read: 'osloTime', about: 'avtale' },
  startDato: { source: 'startDato', read: 'date', about: 'avtale' },
  sluttDato: { source: 'sluttDato', read: 'date', about: 'avtale' },
  stillingprosent: { source: 'stillingprosent', read: 'number', range: MILLION, about: 'avtale', nullForMentor: true },
  antallDagerPerUke: {
    source: 'antallDagerPerUke',
    read: 'number',
    range: MILLION,
    about: 'avtale',
    nullForMentor: true,
  },
  stillingstype: {
    source: 'stillingstype',
    read: 'text',
    maxLength: MAX_CODE,
    about: 'avtale',
    codes: CODE_VALUES.stillingstype,
  },
  godkjentAvDeltaker: { source: 'godkjentAvDeltaker', read: 'osloTime', about: 'avtale' },
  godkjentAvArbeidsgiver: { source: 'godkjentAvArbeidsgiver', read: 'osloTime', about: 'avtale' },
  godkjentAvVeileder: { source: 'godkjentAvVeileder', read: 'osloTime', about: 'avtale' },
  godkjentAvBeslutter: { source: 'godkjentAvBeslutter', read: 'osloTime', about: 'avtale' },
  godkjentAvNavIdent: { source: 'godkjentAvNavIdent', read: 'text', maxLength: MAX_IDENT, about: 'person' },
  godkjentAvBeslutterNavIdent: {
    source: 'godkjentAvBeslutterNavIdent',
    read: 'text',
    maxLength: MAX_IDENT,
    about: 'person',
  },
  godkjentPaaVegneAv: { source: 'godkjentPaVegneAv', read: 'boolean', about: 'avtale' },
  godkjentPaaVegneAvArbeidsgiver: { source: 'godkjentPaVegneAvArbeidsgiver', read: 'boolean', about: 'avtale' },
  opphav: { source: 'opphav', read: 'text', maxLength: MAX_CODE, about: 'avtale', codes: CODE_VALUES.opphav },
  opprettetTidspunkt: { source: 'opprettetTidspunkt', read: 'osloTime', about: 'avtale' },
  annullertTidspunkt: { source: 'annullertTidspunkt', read: 'instant', about: 'avtale' },
  feilregistrert: { source: 'feilregistrert', read: 'boolean', about: 'avtale', internal: true },
  sistEndret: { source: 'sistEndret', read: 'instant', about: 'avtale', required: true },
} as const satisfies Record<string, Field>;

type Table = typeof TABLE;
type ValueOf<F extends Field> = F extends { required: true } | { read: 'boolean' }
  ? Values[F['read']]
  : Values[F['read']] | null;

export type FieldName = keyof Table;

export type Avtale = { -readonly [F in FieldName]: ValueOf<Table[F]> };

/** A field of an avtale that is shown as it is stored. */
export type StoredField = { [F in FieldName]: Table[F] extends { internal: true } ? never : F }[FieldName];

/**
 * A field that a consumer can be granted: those that are stored, and `fase`, which is worked out of them for a day (see
 * `phase.ts`). Who is granted `fase` may have what it is made of, in that form.
 */
export type AvtaleField = StoredField | 'fase';

export const FIELDS: Readonly<Record<FieldName, Field>> = TABLE;

export const AVTALE_FIELDS = Object.keys(TABLE) as readonly FieldName[];

export const STORED_FIELDS = AVTALE_FIELDS.filter((name): name is StoredField => !FIELDS[name].internal);

export const GRANTABLE_FIELDS: readonly AvtaleField[] = [...STORED_FIELDS, 'fase'];

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
