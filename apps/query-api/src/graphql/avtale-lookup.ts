import { UUID, type AvtaleField } from '@tiltak/avtale';
import { PROBLEMS } from '@tiltak/platform';
import { GraphQLError } from 'graphql';
import type { AvtaleRow, Selection } from '../avtaler/avtaler.fields.ts';
import type { AvtaleFilter } from '../avtaler/avtaler.filter.ts';
import { byIdQuery, byNumberQuery, searchQuery } from '../avtaler/avtaler.queries.ts';
import type { Run } from '../lookups/lookups.ts';
import { graphqlError, invalid } from './errors.ts';
import type { RootLookup } from './root-lookups.ts';
import type { FieldSource } from './schema.ts';

/** In one answer: they are held in memory and made into JSON at once. Larger answers are for REST, page by page. */
const MAX_AVTALER = 10_000;

/** What a field at the top came to. */
export interface RootResult {
  /** what the field is answered with, or why it isn't */
  answer: AvtaleRow | AvtaleRow[] | null | GraphQLError;
  rows: AvtaleRow[];
  /** how many avtaler were read for it, also those that there was no room for */
  readCount: number;
  /** who was asked for */
  personidenter: string[];
}

/**
 * Looks up the fields at the top of an operation, by their names in the answer. One after the other: each has the room
 * that those before it left, and no request takes more than one connection.
 *
 * @throws Problem 503 when the database can't answer
 */
export async function lookUpRoots(run: Run, roots: readonly RootLookup[]): Promise<Map<string, RootResult>> {
  const results = new Map<string, RootResult>();
  let room = MAX_AVTALER;
  for (const root of roots) {
    const result = await lookUp(run, root, room);
    room = Math.max(0, room - result.readCount);
    results.set(root.key, result);
  }
  return results;
}

/**
 * Reads the columns that are asked for, and the participant's opaque id for the audit.
 *
 * @param room how many avtaler the answer can take
 */
async function lookUp(run: Run, root: RootLookup, room: number): Promise<RootResult> {
  try {
    return await (root.field === 'avtale' ? lookUpOne(run, root) : lookUpMany(run, root, room));
  } catch (error) {
    // Of this field only; the others are answered.
    if (error instanceof GraphQLError) return { answer: error, rows: [], readCount: 0, personidenter: [] };
    throw error;
  }
}

async function lookUpMany(run: Run, root: RootLookup, room: number): Promise<RootResult> {
  const filter = filterFor(root);
  const rows = await run(searchQuery(filter, selectionOf(root.sources), { limit: room + 1 }));
  const fits = rows.length <= room;
  return {
    answer: fits ? rows : tooLarge(),
    rows: fits ? rows : [],
    readCount: rows.length,
    personidenter: filter.personidenter ?? [],
  };
}

async function lookUpOne(run: Run, root: RootLookup): Promise<RootResult> {
  const row = await readOne(run, root);
  const rows = row ? [row] : [];
  return { answer: row ?? null, rows, readCount: rows.length, personidenter: [] };
}

async function readOne(run: Run, { args, sources }: RootLookup): Promise<AvtaleRow | undefined> {
  const { avtaleNr } = args;
  const hasNumber = typeof avtaleNr === 'number';
  if (typeof args['avtaleId'] !== 'string') {
    if (!hasNumber) throw invalid('The argument avtaleId or avtaleNr is required');
    const [row] = await run(byNumberQuery(avtaleNr, selectionOf(sources)));
    return row;
  }
  const avtaleId = requireArgument(args, 'avtaleId', UUID, 'a UUID');
  const [row] = await run(byIdQuery(avtaleId, selectionOf(sources, ...(hasNumber ? (['avtaleNr'] as const) : []))));
  return !hasNumber || row?.['avtale_nr'] === avtaleNr ? row : undefined;
}

function selectionOf(sources: FieldSource[], ...others: AvtaleField[]): Selection[] {
  return [...new Set<Selection>([...sources.map(({ read }) => read), ...others, 'deltakerId'])];
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

function tooLarge(): GraphQLError {
  return graphqlError(
    PROBLEMS.FOR_STOR,
    `The answer would hold more than ${String(MAX_AVTALER)} avtaler: POST /api/v1/avtaler/sok gives them page by page`,
  );
}
