import { isUuid } from '@tiltak/avtale';
import { PROBLEMS } from '@tiltak/platform';
import { GraphQLError } from 'graphql';
import type { AvtaleRow, Selection } from '../avtaler/avtaler.fields.ts';
import type { Run } from '../lookups/lookups.ts';
import { BEDRIFT_NR } from '../shared/lists.ts';
import { graphqlError, invalidArgument } from './errors.ts';
import type { FieldSource } from './field-sources.ts';
import type { AvtaleQueries, RootFilter } from './graphql.queries.ts';
import type { RootLookup } from './root-lookups.ts';

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
export async function lookUpRoots(
  run: Run,
  roots: readonly RootLookup[],
  queries: AvtaleQueries,
): Promise<Map<string, RootResult>> {
  const results = new Map<string, RootResult>();
  let room = MAX_AVTALER;
  for (const root of roots) {
    const result = await lookUp({ run, queries, room }, root);
    room = Math.max(0, room - result.readCount);
    results.set(root.key, result);
  }
  return results;
}

interface Access {
  run: Run;
  queries: AvtaleQueries;
  /** how many avtaler the answer can take */
  room: number;
}

/** Reads the columns that are asked for, and the participant's opaque id for the audit. */
async function lookUp(access: Access, root: RootLookup): Promise<RootResult> {
  try {
    return await (root.field === 'avtale' ? lookUpOne(access, root) : lookUpMany(access, root));
  } catch (error) {
    // Of this field only; the others are answered.
    if (error instanceof GraphQLError) return { answer: error, rows: [], readCount: 0, personidenter: [] };
    throw error;
  }
}

async function lookUpMany(access: Access, root: RootLookup): Promise<RootResult> {
  const filter = filterFor(root);
  if (!filter) return { answer: [], rows: [], readCount: 0, personidenter: [] };
  const rows = await readAll(access, filter, selectionOf(root.sources));
  const fits = rows.length <= access.room;
  return {
    answer: fits ? rows : tooLarge(),
    rows: fits ? rows : [],
    readCount: rows.length,
    personidenter: filter.personidenter ?? [],
  };
}

/** All of them, or one more than there is room for. A statement looks at a bounded number of avtaler, and may end before. */
async function readAll(
  { run, queries, room }: Access,
  filter: RootFilter,
  selection: Selection[],
): Promise<AvtaleRow[]> {
  const rows: AvtaleRow[] = [];
  let after: string | undefined;
  do {
    const read = await run(queries.search(filter, selection, { after, limit: room + 1 - rows.length }));
    after = read.at(-1)?.naadd ?? undefined;
    rows.push(...(after === undefined ? read : read.slice(0, -1)));
  } while (after !== undefined && rows.length <= room);
  return rows;
}

async function lookUpOne(access: Access, root: RootLookup): Promise<RootResult> {
  const row = await readOne(access, root);
  const rows = row ? [row] : [];
  return { answer: row ?? null, rows, readCount: rows.length, personidenter: [] };
}

/** With both arguments only the id counts; with none there is no such avtale. */
async function readOne({ run, queries }: Access, { args, sources }: RootLookup): Promise<AvtaleRow | undefined> {
  const { avtaleId, avtaleNr } = args;
  if (typeof avtaleId === 'string') {
    if (!isUuid(avtaleId)) throw invalidArgument('The argument avtaleId must be a UUID');
    const [row] = await run(queries.byId(avtaleId, selectionOf(sources)));
    return row;
  }
  if (typeof avtaleNr !== 'number') return undefined;
  const [row] = await run(queries.byNumber(avtaleNr, selectionOf(sources)));
  return row;
}

function selectionOf(sources: FieldSource[]): Selection[] {
  return [...new Set<Selection>([...sources.map(({ read }) => read), 'deltakerId'])];
}

const IDENT = /^\d{11}$/;

/** undefined: nothing has what is asked for */
function filterFor({ field, args }: RootLookup): RootFilter | undefined {
  switch (field) {
    case 'avtalerForPerson': {
      const ident = requireArgument(args, 'personnummer');
      return IDENT.test(ident) ? { personidenter: [ident] } : undefined;
    }
    case 'avtalerForBedrift': {
      const number = requireArgument(args, 'organisasjonsnummer');
      return BEDRIFT_NR.test(number) ? { bedriftsnumre: [number] } : undefined;
    }
    case 'avtalerForTiltakstype':
      return { tiltakstyper: [requireArgument(args, 'tiltakstype')] };
    case 'avtalerForStatus':
      return { statuser: [requireArgument(args, 'status')] };
    default:
      throw new Error(`The field ${field} of the type Query is looked up nowhere`);
  }
}

/** The schema lets clients leave out any argument, as it always has. */
function requireArgument(args: Record<string, unknown>, name: string): string {
  const value = args[name];
  if (typeof value !== 'string') throw invalidArgument(`The argument ${name} is required`);
  return value;
}

function tooLarge(): GraphQLError {
  return graphqlError(
    PROBLEMS.FOR_STOR,
    'BAD_REQUEST',
    `The answer would hold more than ${String(MAX_AVTALER)} avtaler: POST /api/v1/avtaler/sok gives them page by page`,
  );
}
