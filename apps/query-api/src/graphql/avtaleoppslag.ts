import { fellesFeil } from '@tiltak/platform';
import { GraphQLError } from 'graphql';
import { hentMedId, hentMedNummer, sok, type Sokefilter } from '../avtaler/avtaler.queries.ts';
import type { Felt, Rad, Utvalg } from '../avtaler/felter.ts';
import type { Lesing } from '../database/lesing.ts';
import { nyFeil, ugyldig } from './feil.ts';
import type { Rotoppslag } from './rotoppslag.ts';
import type { Feltkilde } from './skjema.ts';

/** In one answer: they are held in memory and made into JSON at once. Larger answers are for REST, page by page. */
export const MAKS_AVTALER = 10_000;

/** What a field at the top came to. */
export interface Utfall {
  /** what the field is answered with, or why it isn't */
  svar: Rad | Rad[] | null | GraphQLError;
  rader: Rad[];
  /** how many avtaler were read for it, also those that there was no room for */
  lest: number;
  /** who was asked for */
  personidenter: string[];
}

/**
 * Looks up one field at the top of an operation, reading the columns that are asked for, and the participant's opaque id
 * for the audit.
 *
 * @param plass how many avtaler the answer has room for
 * @throws Problem 503 when the database can't answer
 */
export async function slaaOpp(lesing: Lesing, oppslag: Rotoppslag, plass: number): Promise<Utfall> {
  try {
    if (oppslag.felt === 'avtale') {
      const rad = await enAvtale(lesing, oppslag);
      const rader = rad ? [rad] : [];
      return { svar: rad ?? null, rader, lest: rader.length, personidenter: [] };
    }
    const filter = filterFor(oppslag);
    const rader = await sok(lesing, filter, utvalg(oppslag.kilder), { antall: plass + 1 });
    const forMange = rader.length > plass;
    return {
      svar: forMange ? ingenPlass() : rader,
      rader: forMange ? [] : rader,
      lest: rader.length,
      personidenter: filter.personidenter ?? [],
    };
  } catch (feil) {
    // Of this field only; the others are answered.
    if (feil instanceof GraphQLError) return { svar: feil, rader: [], lest: 0, personidenter: [] };
    throw feil;
  }
}

function utvalg(kilder: Feltkilde[], ...andre: Felt[]): Utvalg[] {
  return [...new Set<Utvalg>([...kilder.map(({ les }) => les), ...andre, 'deltakerId'])];
}

async function enAvtale(lesing: Lesing, { argumenter, kilder }: Rotoppslag): Promise<Rad | undefined> {
  const { avtaleNr } = argumenter as { avtaleNr?: number | null };
  const harNummer = typeof avtaleNr === 'number';
  if (typeof argumenter['avtaleId'] !== 'string') {
    if (!harNummer) throw ugyldig('The argument avtaleId or avtaleNr is required');
    return hentMedNummer(lesing, avtaleNr, utvalg(kilder));
  }
  const avtaleId = krev(argumenter, 'avtaleId', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a UUID');
  if (!harNummer) return hentMedId(lesing, avtaleId, utvalg(kilder));
  const rad = await hentMedId(lesing, avtaleId, utvalg(kilder, 'avtaleNr'));
  return rad?.['avtale_nr'] === avtaleNr ? rad : undefined;
}

function filterFor({ felt, argumenter }: Rotoppslag): Sokefilter {
  switch (felt) {
    case 'avtalerForPerson':
      return { personidenter: [krev(argumenter, 'personnummer', /^\d{11}$/, 'eleven digits')] };
    case 'avtalerForBedrift':
      return { bedriftsnumre: [krev(argumenter, 'organisasjonsnummer', /^\d{9}$/, 'nine digits')] };
    case 'avtalerForTiltakstype':
      return { tiltakstyper: [krev(argumenter, 'tiltakstype')] };
    case 'avtalerForStatus':
      return { statuser: [krev(argumenter, 'status')] };
    default:
      throw new Error(`The field ${felt} of the type Query is looked up nowhere`);
  }
}

/** The schema lets clients leave out any argument, as it always has. */
function krev(argumenter: Record<string, unknown>, navn: string, monster = /^/, form = ''): string {
  const verdi = argumenter[navn];
  if (typeof verdi !== 'string') throw ugyldig(`The argument ${navn} is required`);
  if (!monster.test(verdi)) throw ugyldig(`The argument ${navn} must be ${form}`);
  return verdi;
}

function ingenPlass(): GraphQLError {
  return nyFeil(
    fellesFeil.FOR_STOR,
    `The answer would hold more than ${String(MAKS_AVTALER)} avtaler: POST /api/v1/avtaler/sok gives them page by page`,
  );
}
