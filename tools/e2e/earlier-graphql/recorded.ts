import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import type { PublishedMessage } from '../system.ts';

/**
 * What the service before this one answered, recorded from it while it ran: a consumer that comes from it is answered
 * the same. What differs stands in `DIFFERS`, with why and how.
 */
export interface Recorded {
  name: string;
  request: { method: string; path?: string; headers: Record<string, string>; body: string | null };
  response: { status: number; body: string };
}

/** Without what may always differ: the texts of errors and their places, numbers as 60 or 60.0, the order of lists. */
interface Answer {
  status: number;
  data?: unknown;
  errors?: unknown;
}

/** Deleted at the source, and still served there: here they are gone, everywhere. */
const DELETED = [
  '0000aaaa-0004-4000-8000-000000000004',
  '0000aaaa-0026-4000-8000-000000000026',
  '1a5460c5-0c2f-41ed-8a50-b458303ac7aa',
  'b97e8ce0-0cfb-4ff1-8a16-cf4515747c3c',
];
const deleted = { why: 'deleted at the source', ours: (theirs: Answer) => withoutDeleted(theirs) as Answer };

const nulled = {
  why: 'a flag that the source left empty is false here; it no longer does',
  ours: (theirs: Answer) => JSON.parse(JSON.stringify(theirs, nullFlagsAsFalse)) as Answer,
};
const status = (to: number, why: string): Difference => ({ why, ours: () => ({ status: to }) });
const refused = (why: string): Difference => ({
  why,
  ours: () => ({ status: 200, errors: [{ path: null, classification: 'ValidationError' }] }),
});
const answered = (why: string, data: unknown): Difference => ({ why, ours: () => ({ status: 200, data }) });

interface Difference {
  why: string;
  ours: (theirs: Answer) => Answer;
}

const DIFFERS: Record<string, Difference> = {
  'alias-to-personer': deleted,
  'avtale-slettet-med-tombstone': deleted,
  'hele-GJENNOMFORES': deleted,
  'person-tolv-felt-038981': deleted,
  'person-tolv-felt-K': deleted,
  'status-GJENNOMFORES': deleted,
  'tiltakstype-ARBEIDSTRENING': deleted,
  'tiltakstype-MIDLERTIDIG_LONNSTILSKUDD': deleted,
  'avtale-nr-0': answered('theirs gives one of all that have no number', { avtale: null }),
  'person-alle-felt-E': nulled,
  'person-uten-mottatt-E': nulled,
  'fragment-navngitt': answered('theirs can not have a fragment below a field at the top', {
    avtalerForPerson: [
      {
        avtaleId: '0000aaaa-0012-4000-8000-000000000012',
        tiltakstype: 'MENTOR',
        avtaleStatus: 'GJENNOMFORES',
      },
      {
        avtaleId: '0000aaaa-0013-4000-8000-000000000013',
        tiltakstype: 'MIDLERTIDIG_LONNSTILSKUDD',
        avtaleStatus: 'AVSLUTTET',
      },
    ],
  }),
  'introspeksjon-skalarer': answered('theirs allows __type once', {
    dt: { kind: 'SCALAR', specifiedByURL: null },
    d: { kind: 'SCALAR', specifiedByURL: 'https://tools.ietf.org/html/rfc3339' },
    l: { kind: 'SCALAR', specifiedByURL: null },
  }),
  'mange-alias-51': refused('50 aliases'),
  'mange-tokens': refused('the same field 1,100 times is more than validation compares'),
  'body-null': status(400, '500 there'),
  'accept-html': status(406, '415 there, which is about what is sent'),
  'content-type-graphql': status(415, 'only application/json, which is what the body is'),
  'content-type-json-latin1': status(415, 'only UTF-8, as JSON is'),
  put: status(405, '404 there, without telling what is allowed'),
  head: status(405, '404 there, without telling what is allowed'),
};

const FOLDER = join(ROOT, 'tools', 'e2e', 'earlier-graphql');
/** Each with its name, in the order in which they were recorded. */
export const recorded = linesOf(join(FOLDER, 'answers.jsonl')).map((line) => JSON.parse(line) as Recorded);

/** What differs on purpose, by name. */
export const isDifferent = (name: string): boolean => name in DIFFERS;

/**
 * Our answer and what it must be, in a form that can be compared; `recorded` is what that service answered.
 */
export function compare(
  { name, response }: Recorded,
  ours: { status: number; text: string },
): Record<'ours' | 'expected' | 'recorded', unknown> {
  const theirs = toAnswer(response.status, response.body);
  return {
    ours: unordered(toAnswer(ours.status, ours.text)),
    expected: unordered(DIFFERS[name]?.ours(theirs) ?? theirs),
    recorded: unordered(theirs),
  };
}

/** In the order in which that service was given them; `planted.jsonl` has an avtale for each thing that may differ. */
export function messages(): PublishedMessage[] {
  const events = [join(ROOT, 'libs', 'simulator', 'src', 'data', 'avtale-events.jsonl'), join(FOLDER, 'planted.jsonl')];
  return [
    ...events.flatMap(linesOf).map((value) => ({ key: (JSON.parse(value) as { avtaleId: string }).avtaleId, value })),
    { key: '0000aaaa-0026-4000-8000-000000000026', value: null },
  ];
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').filter(Boolean);
}

function toAnswer(code: number, text: string): Answer {
  if (code !== 200 && !text.startsWith('{"errors"')) return { status: code };
  const { data, errors } = JSON.parse(text) as {
    data?: unknown;
    errors?: { path?: unknown; extensions: { classification: string } }[];
  };
  return {
    status: code,
    ...(data !== undefined && { data }),
    ...(errors && {
      errors: errors.map(({ path = null, extensions: { classification } }) => ({ path, classification })),
    }),
  };
}

function unordered(value: unknown): unknown {
  if (Array.isArray(value)) return [...new Set(value.map((part) => JSON.stringify(unordered(part))))].sort();
  if (typeof value !== 'object' || value === null) return value;
  // Theirs was never set.
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, name === 'endring_mottatt_tidspunkt' ? null : unordered(part)]),
  );
}

/** Every avtale in the recorded answers is asked for with its id. */
function withoutDeleted(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((part) => !isDeleted(part)).map(withoutDeleted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, isDeleted(part) ? null : withoutDeleted(part)]),
  );
}

function isDeleted(part: unknown): boolean {
  return typeof part === 'object' && part !== null && 'avtaleId' in part && DELETED.includes(String(part.avtaleId));
}

function nullFlagsAsFalse(name: string, value: unknown): unknown {
  return value === null && name.startsWith('godkjentPaaVegneAv') ? false : value;
}
