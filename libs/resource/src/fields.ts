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

/**
 * What a field tells of a person. All of an avtale is about its participant, once one knows whose it is:
 * `FODSELSNUMMER` who that is, `ANSATT` which of Nav's employees, `VIRKSOMHET` which employer, who may be a sole trader,
 * `NOKKEL` which avtale, and `OM_DELTAKER` the rest.
 */
export const PERSONAL_DATA = ['FODSELSNUMMER', 'ANSATT', 'VIRKSOMHET', 'NOKKEL', 'OM_DELTAKER'] as const;
export type PersonalData = (typeof PERSONAL_DATA)[number];

/** What the catalogue says of a field, and each schema that shows it. */
export interface FieldEntry {
  /** what it says, as the source has it: also when it is empty, and when it ages */
  meaning: string;
  /** of what it counts */
  unit?: string;
  personalData: PersonalData;
  /** the release of the API that first had it */
  since: string;
}

/** What holds of a field whatever has it. */
export interface Field extends FieldEntry {
  /** its name at the source */
  source: string;
  read: keyof Values;
  /** `person`: can tell who somebody is. Hidden wherever people look at raw messages. */
  about: string;
  /** a message without it can't be used */
  required?: true;
  /**
   * of a text: the most characters it may have. Far more than the source sends, and so few that every index can hold
   * them (2,704 bytes of all its columns together): a row that an index refuses would be tried for ever
   */
  maxLength?: number;
  /** of a text: it has just so many digits, and nothing else */
  digits?: number;
  /** of a number: the least and the most */
  range?: readonly [min: number, max: number];
  /** decides whether something is shown, and is not itself shown: no consumer can be granted it */
  internal?: true;
}

/** What a field holds in what was read: never null when a message without it can't be used. */
export type ValueOf<F extends Field> = F extends { required: true } | { read: 'boolean' }
  ? Values[F['read']]
  : Values[F['read']] | null;

export type Reduced<T extends Readonly<Record<string, Field>>> = { -readonly [F in keyof T]: ValueOf<T[F]> };
