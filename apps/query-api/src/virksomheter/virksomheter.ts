import { VIRKSOMHETER } from '@tiltak/virksomhet';
import { isBelow, topOf } from '../avtaler/avtaler.conditions.ts';
import type { ReadResource, ResourceLink } from '../resources/resource.ts';

const NUMBER = '^[0-9]{9}$';
const virksomhet = (number: unknown): ResourceLink | undefined =>
  number == null ? undefined : { href: `/api/v1/virksomheter/${String(number)}` };

/** Employers, as the national register has them. A sole trader's name tells who that is. */
export const VIRKSOMHETER_READ: ReadResource = {
  resource: VIRKSOMHETER,
  derived: {
    hovedenhet: {
      meaning:
        'Organisation number of the top of the chain of units that it is below, 9 digits, also when that unit is not here; null when it is itself the top, or its chain leads into a cycle',
      personalData: 'VIRKSOMHET',
      since: '1.1.0',
      read: 'text',
    },
  },
  operations: {
    search: 'sokVirksomheter',
    one: 'hentVirksomhet',
    changes: 'hentVirksomhetsendringer',
    export: 'eksporterVirksomheter',
  },
  schemas: {
    one: 'Virksomhet',
    links: 'VirksomhetLenker',
    page: 'Virksomhetside',
    search: 'VirksomhetSok',
    field: 'Virksomhetsfelt',
    change: 'Virksomhetsendring',
    changes: 'Virksomhetsendringsside',
  },
  words: {
    tag: 'Virksomheter',
    about: 'Which employers are there, and which belong together?',
    one: 'virksomhet',
    several: 'virksomheter',
    search: 'Which virksomheter match?',
    oneQuestion: 'What does the register say of this virksomhet?',
    changes: 'Which virksomheter have changed since this position?',
    export: 'What does the register say of every virksomhet?',
  },
  examples: {
    organisasjonsnummer: '910825518',
    navn: 'MAURA OG KOLBU REGNSKAP',
    organisasjonsform: 'BEDR',
    overordnetEnhet: '910712217',
    naeringskode: '69.201',
    kommunenummer: '0301',
    slettetDato: null,
    sistEndret: '2026-02-04T08:46:39Z',
    hovedenhet: '910712217',
  },
  keyPattern: NUMBER,
  filters: {
    organisasjonsnumre: {
      ...{ by: 'keys', reads: 'organisasjonsnummer', pattern: NUMBER, form: 'must be nine digits' },
      ...{ description: 'Organisation numbers', example: ['910825518'] },
    },
    overordnetEnhet: {
      ...{ by: 'index', field: 'overordnetEnhet', reads: 'overordnetEnhet' },
      ...{ pattern: NUMBER, form: 'must be nine digits' },
      ...{ description: 'The unit right above them', example: '910712217' },
    },
    hovedenhet: {
      ...{
        by: 'function',
        sql: 'virksomheter_under',
        isIn: isBelow,
        among: (unit) => ({ column: 'hovedenhet', equals: topOf(unit) }),
        reads: 'hovedenhet',
        pattern: NUMBER,
        form: 'must be nine digits',
      },
      ...{ description: 'A unit: itself, and all that is below it, at whatever level', example: '910712217' },
    },
    kommunenummer: {
      ...{ by: 'index', field: 'kommunenummer', reads: 'kommunenummer' },
      ...{ pattern: '^[0-9]{4}$', form: 'must be four digits' },
      ...{ description: 'Municipality of the postal address', example: '0301' },
    },
    naeringskode: {
      ...{ by: 'prefix', field: 'naeringskode', reads: 'naeringskode' },
      ...{ pattern: '^[0-9][0-9.]{0,9}$', form: 'must be 1 to 10 digits and dots' },
      ...{ description: 'Beginning of the industry code: `69` has 69.201 too', example: '69' },
    },
    organisasjonsform: {
      ...{ by: 'looking', field: 'organisasjonsform', reads: 'organisasjonsform' },
      ...{ pattern: '^[A-Z]{1,10}$', form: 'must be 1 to 10 of A–Z' },
      ...{ description: 'Form of organisation', example: 'BEDR' },
    },
  },
  searches: {
    konsern: { summary: 'A unit and all below it', value: { hovedenhet: '910712217', antall: 10 } },
    numre: { summary: 'By number', value: { organisasjonsnumre: ['910825518'] } },
    naering: { summary: 'Of an industry, in a municipality', value: { naeringskode: '69', kommunenummer: '0301' } },
  },
  links: {
    overordnetEnhet: {
      description: 'The unit right above it; absent when it is the top, or that is not granted',
      make: ({ overordnet_enhet: number }) => virksomhet(number),
    },
    hovedenhet: {
      description: 'The top of its chain; absent when it is the top, or that is not granted',
      make: ({ hovedenhet: number }) => virksomhet(number),
    },
    enheter: {
      description: 'The units right below it: ask so',
      make: ({ organisasjonsnummer: number }) => ({
        ...{ href: '/api/v1/virksomheter/sok', metode: 'POST', sporring: { overordnetEnhet: String(number) } },
      }),
    },
    avtaler: {
      description: 'Its avtaler, and those of all that is below it: ask so',
      make: ({ organisasjonsnummer: number }) => ({
        ...{ href: '/api/v1/avtaler/sok', metode: 'POST', sporring: { hovedenhet: String(number) } },
      }),
    },
  },
};
