import { waitUntil } from '@tiltak/testing';
import { compare, isDifferent, messages, recorded, type Recorded } from './earlier-graphql/recorded.ts';
import { System } from './system.ts';

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

function ask({ method, path = '/graphql', headers, body }: Recorded['request']): Promise<Response> {
  return fetch(url + path, { method, headers: { ...headers, authorization }, ...(body === null ? {} : { body }) });
}

test.each(recorded.map((line) => [line.name, line] as const))('%s: as it was recorded', async (name, line) => {
  const answer = await ask(line.request);
  const { ours, expected, recorded: theirs } = compare(line, { status: answer.status, text: await answer.text() });
  expect(ours).toEqual(expected);
  if (isDifferent(name)) expect(expected).not.toEqual(theirs);
});

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
