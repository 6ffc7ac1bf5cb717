import type { Field, Reduced, Resource } from '@tiltak/resource';

const FIRST = '1.1.0';

/** What is kept of an employer, of the national register's: an establishment (underenhet) or what it is a part of (hovedenhet). */
const TABLE = {
  organisasjonsnummer: {
    meaning: 'Identifies the virksomhet for ever, 9 digits; the key of its messages',
    personalData: 'VIRKSOMHET',
    since: FIRST,
    source: 'organisasjonsnummer',
    read: 'text',
    digits: 9,
    maxLength: 9,
    about: 'virksomhet',
    required: true,
  },
  // A sole trader's business is often named after them.
  navn: {
    meaning: 'Name in the register',
    personalData: 'VIRKSOMHET',
    since: FIRST,
    source: 'navn',
    read: 'text',
    maxLength: 1_000,
    about: 'person',
  },
  organisasjonsform: {
    meaning: 'Form of organisation, as the register codes it: AS, ENK, BEDR, ORGL, …',
    personalData: 'VIRKSOMHET',
    since: FIRST,
    source: 'organisasjonsform',
    read: 'text',
    maxLength: 100,
    about: 'virksomhet',
  },
  overordnetEnhet: {
    meaning: 'Organisation number of the unit right above it, 9 digits; null when it is itself the top',
    personalData: 'VIRKSOMHET',
    since: FIRST,
    source: 'overordnetEnhet',
    read: 'text',
    digits: 9,
    maxLength: 9,
    about: 'virksomhet',
  },
  naeringskode: {
    meaning: 'Its first industry code, by SN2007 or what follows it: 78.100',
    personalData: 'VIRKSOMHET',
    since: FIRST,
    source: 'naeringskode',
    read: 'text',
    maxLength: 100,
    about: 'virksomhet',
  },
  kommunenummer: {
    meaning: 'Municipality of its postal address, 4 digits; null when that is abroad or unknown',
    personalData: 'VIRKSOMHET',
    since: FIRST,
    source: 'kommunenummer',
    read: 'text',
    maxLength: 100,
    about: 'virksomhet',
  },
  slettetDato: {
    meaning: 'The day that it was struck off the register; it is still shown. Null while it is registered',
    personalData: 'VIRKSOMHET',
    since: FIRST,
    source: 'slettetDato',
    read: 'date',
    about: 'virksomhet',
  },
  sistEndret: {
    meaning: 'When the register last changed it. Which of two messages is the newer is decided by it',
    personalData: 'VIRKSOMHET',
    since: FIRST,
    source: 'sistEndret',
    read: 'instant',
    about: 'virksomhet',
    required: true,
  },
} as const satisfies Record<string, Field>;

export type Virksomhet = Reduced<typeof TABLE>;
export type VirksomhetField = keyof typeof TABLE;

export const VIRKSOMHETER: Resource<typeof TABLE> & Record<'key' | 'order', VirksomhetField> = {
  name: 'virksomheter',
  table: 'virksomhet',
  key: 'organisasjonsnummer',
  fields: TABLE,
  order: 'sistEndret',
};
