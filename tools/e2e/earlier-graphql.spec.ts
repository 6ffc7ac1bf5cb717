import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, waitUntil } from '@tiltak/testing';
import { System, type PublishedMessage } from './system.ts';

/**
 * What the service before this one answered, recorded from it while it ran: a consumer that comes from it is answered
 * the same. What differs stands in `DIFFERS`, with why and how.
 */
interface Recorded {
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
const recorded = linesOf(join(FOLDER, 'answers.jsonl')).map((line) => JSON.parse(line) as Recorded);
const PROBE = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"query":"{__typename}"}' };

let system: System;
let url: string;
let authorization: string;

beforeAll(async () => {
  system = await System.create({ partitions: 1 });
  ({ authorization = '' } = await system.as('gammel'));
  await system.publish(messages());
  await system.startIngestor();
  ({ url } = await system.startQueryApi());
  await system.waitForIngested();
  await waitUntil(async () => (await ask(PROBE)).ok, { what: 'the first load' });
}, 60_000);
afterAll(() => system.stop());

/** In the order in which that service was given them; `planted.jsonl` has an avtale for each thing that may differ. */
function messages(): PublishedMessage[] {
  const events = [join(ROOT, 'libs', 'simulator', 'src', 'data', 'avtale-events.jsonl'), join(FOLDER, 'planted.jsonl')];
  return [
    ...events.flatMap(linesOf).map((value) => ({ key: (JSON.parse(value) as { avtaleId: string }).avtaleId, value })),
    { key: '0000aaaa-0026-4000-8000-000000000026', value: null },
  ];
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').filter(Boolean);
}

function ask({ method, path = '/graphql', headers, body }: Recorded['request']): Promise<Response> {
  return fetch(url + path, { method, headers: { ...headers, authorization }, ...(body === null ? {} : { body }) });
}

test.each(recorded.map((line) => [line.name, line] as const))(
  '%s: as it was recorded',
  async (name, { request, response }) => {
    const ours = await ask(request);
    const theirs = toAnswer(response.status, response.body);
    const expected = DIFFERS[name]?.ours(theirs) ?? theirs;
    expect(unordered(toAnswer(ours.status, await ours.text()))).toEqual(unordered(expected));
    if (name in DIFFERS) expect(unordered(expected)).not.toEqual(unordered(theirs));
  },
);

/** As its one client in production reads an answer; what it can't read costs it the person's whole history. */
const CLIENT_QUERY = recorded.find(({ name }) => name === 'person-tolv-felt-D')?.request;
const NULLABLE = ['startDato', 'sluttDato', 'stillingprosent', 'antallDagerPerUke'];
const CLOSED: Record<string, RegExp> = {
  avtaleId: /^[0-9a-f-]{36}$/,
  tiltakstype:
    /^((MIDLERTIDIG|VARIG|FIREARIG)_LONNSTILSKUDD|ARBEIDSTRENING|MENTOR|INKLUDERINGSTILSKUDD|SOMMERJOBB|VTAO)$/,
  avtaleStatus: /^(ANNULLERT|AVBRUTT|PAABEGYNT|MANGLER_GODKJENNING|KLAR_FOR_OPPSTART|GJENNOMFORES|AVSLUTTET)$/,
  startDato: /^\d{4}-\d\d-\d\d$/,
  sluttDato: /^\d{4}-\d\d-\d\d$/,
  opprettetTidspunkt: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0[12]:00$/,
  endretTidspunkt: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0[12]:00$/,
};

test('its client in production can read every person', async () => {
  const { query } = JSON.parse(CLIENT_QUERY?.body ?? '') as { query: string };
  const idents = new Set(messages().flatMap(({ value }) => (value === null ? [] : [identIn(String(value))])));
  let read = 0;
  for (const ident of idents) {
    const answer = await ask({ ...PROBE, body: JSON.stringify({ query, variables: { ident } }) });
    const body = (await answer.json()) as { data: { avtalerForPerson: Record<string, unknown>[] } };
    expect(Object.keys(body)).toEqual(['data']);
    for (const avtale of body.data.avtalerForPerson) {
      expect(Object.keys(avtale)).toHaveLength(12);
      const unreadable = Object.entries(avtale).filter(([name, value]) =>
        value === null ? !NULLABLE.includes(name) : !(CLOSED[name] ?? /./).test(String(value)),
      );
      expect(unreadable).toEqual([]);
      read++;
    }
  }
  expect(read).toBeGreaterThan(300);
});

function identIn(message: string): string {
  return (JSON.parse(message) as { deltakerFnr: string }).deltakerFnr;
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
