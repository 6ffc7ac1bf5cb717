import { createTestDatabase, type TestDatabase } from '@tiltak/testing';
import type { SourceMessage } from '../source/source-message.ts';
import { startTableSourceApi, type TableSourceApi } from './table-source-api.ts';
import { TableSource } from './table-source.ts';

/** What is told of, and what is not, of a source that has a table: the list always says what the table holds. */
let database: TestDatabase;
let source: TableSource;
let api: TableSourceApi;
const sent: SourceMessage[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  source = await TableSource.open(database.url, (messages) => Promise.resolve(sent.push(...messages)));
  api = await startTableSourceApi(source);
});
afterAll(async () => {
  await api.stop();
  await source.close();
  await database.remove();
});

async function call(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const response = await fetch(api.url + path, { method, ...(body && { body: JSON.stringify(body) }) });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') && path !== '/liste' ? JSON.parse(text) : text };
}

type Line = { avtaleId: string; sistEndret: string };
const list = async (): Promise<Line[]> =>
  String((await call('GET', '/liste')).body)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const told = (): Record<string, unknown>[] =>
  sent.splice(0).map(({ value }) => JSON.parse(String(value)) as Record<string, unknown>);

test('changes through the API are told of, SQL in the table is not, and the list has both', async () => {
  const { avtaleIder: ids } = (await call('POST', '/avtaler', { antall: 5, seed: 3 })).body as { avtaleIder: string[] };
  const [a = '', b = '', c = '', d = ''] = ids;
  const created = told();
  expect(created.map(({ avtaleId, sistEndret }) => ({ avtaleId, sistEndret }))).toEqual(
    expect.arrayContaining(await list()),
  );
  expect(created[0]).toMatchObject({ hendelseType: 'OPPRETTET', feilregistrert: false });

  expect(await call('PATCH', `/avtaler/${a}`, { sluttDato: '2027-01-31' })).toMatchObject({ status: 204 });
  expect(told()).toEqual([expect.objectContaining({ avtaleId: a, sluttDato: '2027-01-31', hendelseType: 'ENDRET' })]);
  expect((await call('DELETE', `/avtaler/${b}`)).status).toBe(204);
  expect(told()).toEqual([expect.objectContaining({ avtaleId: b, slettemerket: true })]);

  const before = await list();
  await source.sql(`update avtale set bedrift_navn = 'STILLE AS' where avtale_id = $1`, [c]);
  await source.sql('delete from avtale where avtale_id = $1', [d]);
  expect(told()).toEqual([]);
  const changed = (await list()).filter(
    ({ avtaleId, sistEndret }) => !before.some((one) => one.avtaleId === avtaleId && one.sistEndret === sistEndret),
  );
  expect(changed.map(({ avtaleId }) => avtaleId)).toEqual([c]);
  expect((await list()).map(({ avtaleId }) => avtaleId).sort()).toEqual([a, c, ids[4]].sort());

  expect((await call('POST', '/send', { avtaleIder: [c] })).body).toEqual({ sendt: 1 });
  expect(told()).toEqual([expect.objectContaining({ avtaleId: c, bedriftNavn: 'STILLE AS', ...changed[0] })]);
  // What is deleted is resent too, as the source has it.
  expect((await call('POST', '/send', { alle: true })).body).toEqual({ sendt: 4 });
});

test('it counts who calls, and refuses what it does not understand', async () => {
  const before = api.calls();
  expect((await call('PATCH', '/avtaler/00000000-0000-4000-8000-000000000000', {})).status).toBe(404);
  expect((await call('PATCH', '/avtaler/1', {})).status).toBe(404);
  expect((await call('POST', '/avtaler', { antall: -1 })).status).toBe(400);
  expect((await call('POST', '/send', { avtaleIder: 'alle' })).status).toBe(400);
  expect((await call('GET', '/annet')).status).toBe(404);
  expect((await call('GET', '/kall')).body).toEqual({
    ...before,
    'PATCH /avtaler/:id': Number(before['PATCH /avtaler/:id']) + 2,
    'POST /avtaler': Number(before['POST /avtaler']) + 1,
    'POST /send': Number(before['POST /send']) + 1,
    other: 1,
  });
});
