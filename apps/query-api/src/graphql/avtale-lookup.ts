import { PROBLEMS } from '@tiltak/platform';
import { GraphQLError } from 'graphql';
import { readById, readByNumber, searchAvtaler, type AvtaleFilter } from '../avtaler/avtaler.queries.ts';
import type { AvtaleField, AvtaleRow, Selection } from '../avtaler/avtaler.fields.ts';
import type { Reader } from '../lookups/reader.ts';
import { graphqlError, invalid } from './errors.ts';
import type { RootLookup } from './root-lookups.ts';
import type { FieldSource } from './schema.ts';

/** In one answer: they are held in memory and made into JSON at once. Larger answers are for REST, page by page. */
export const MAX_AVTALER = 10_000;

/** What a field at the top came to. */
export interface LookupResult {
  /** what the field is answered with, or why it isn't */
  response: AvtaleRow | AvtaleRow[] | null | GraphQLError;
  rows: AvtaleRow[];
  /** how many avtaler were read for it, also those that there was no room for */
  wasRead: number;
  /** who was asked for */
  personidenter: string[];
}

/**
 * Looks up one field at the top of an operation, reading the columns that are asked for, and the participant's opaque id
 * for the audit.
 *
 * @param position how many avtaler the answer has room for
 * @throws Problem 503 when the database can't answer
 */
export async function lookUp(reading: Reader, lookup: RootLookup, position: number): Promise<LookupResult> {
  try {
    if (lookup.field === 'avtale') {
      const row = await enAvtale(reading, lookup);
      const rows = row ? [row] : [];
      return { response: row ?? null, rows, wasRead: rows.length, personidenter: [] };
    }
    const filter = filterFor(lookup);
    const rows = await searchAvtaler(reading, filter, selection(lookup.sources), { antall: position + 1 });
    const forMany = rows.length > position;
    return {
      response: forMany ? noPosition() : rows,
      rows: forMany ? [] : rows,
      wasRead: rows.length,
      personidenter: filter.personidenter ?? [],
    };
  } catch (error) {
    // Of this field only; the others are answered.
    if (error instanceof GraphQLError) return { response: error, rows: [], wasRead: 0, personidenter: [] };
    throw error;
  }
}

function selection(sources: FieldSource[], ...others: AvtaleField[]): Selection[] {
  return [...new Set<Selection>([...sources.map(({ les: read }) => read), ...others, 'deltakerId'])];
}

async function enAvtale(reading: Reader, { args, sources }: RootLookup): Promise<AvtaleRow | undefined> {
  const { avtaleNr } = args as { avtaleNr?: number | null };
  const hasNummer = typeof avtaleNr === 'number';
  if (typeof args['avtaleId'] !== 'string') {
    if (!hasNummer) throw invalid('The argument avtaleId or avtaleNr is required');
    return readByNumber(reading, avtaleNr, selection(sources));
  }
  const avtaleId = requireArgument(args, 'avtaleId', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a UUID');
  if (!hasNummer) return readById(reading, avtaleId, selection(sources));
  const row = await readById(reading, avtaleId, selection(sources, 'avtaleNr'));
  return row?.['avtale_nr'] === avtaleNr ? row : undefined;
}

function filterFor({ field, args }: RootLookup): AvtaleFilter {
  switch (field) {
    case 'avtalerForPerson':
      return { personidenter: [requireArgument(args, 'personnummer', /^\d{11}$/, 'eleven digits')] };
    case 'avtalerForBedrift':
      return { bedriftsnumre: [requireArgument(args, 'organisasjonsnummer', /^\d{9}$/, 'nine digits')] };
    case 'avtalerForTiltakstype':
      return { tiltakstyper: [requireArgument(args, 'tiltakstype')] };
    case 'avtalerForStatus':
      return { statuser: [requireArgument(args, 'status')] };
    default:
      throw new Error(`The field ${field} of the type Query is looked up nowhere`);
  }
}

/** The schema lets clients leave out any argument, as it always has. */
function requireArgument(args: Record<string, unknown>, name: string, pattern = /^/, form = ''): string {
  const value = args[name];
  if (typeof value !== 'string') throw invalid(`The argument ${name} is required`);
  if (!pattern.test(value)) throw invalid(`The argument ${name} must be ${form}`);
  return value;
}

function noPosition(): GraphQLError {
  return graphqlError(
    PROBLEMS.FOR_STOR,
    `The answer would hold more than ${String(MAX_AVTALER)} avtaler: POST /api/v1/avtaler/sok gives them page by page`,
  );
}
