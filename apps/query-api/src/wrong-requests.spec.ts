import { toleratedOf, wrongRequests, type RequestDocument } from '@tiltak/testing';
import { startTestApi, type TestApi } from './testing/test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
});
afterAll(() => api.stop());

const IDENT = '1'.repeat(11);
const BODIES = {
  hentUtdrag: { felter: ['avtaleId'] },
  hentTiltaksstatus: { personidenter: [IDENT] },
};

test('what is not as the document says is 400 that names it, on every operation: types, names, parameters', async () => {
  const document = (await api.call('GET', '/openapi.json', { token: null })).body as RequestDocument;
  const wrong = wrongRequests(document, {
    bodies: BODIES,
    pathValues: { avtaleNr: '1', organisasjonsnummer: '910825518', bedriftNr: '910825518', navn: 'mine' },
  }).map((request) => ({ ...request, path: request.path.replace('/x', '/00000000-0000-4000-8000-000000000000') }));
  const tolerated = await toleratedOf(wrong, ({ method, path, query, body }) =>
    api.call(method, path + query, { body }),
  );
  expect(tolerated).toEqual([]);
  expect(wrong.length).toBeGreaterThan(500);
}, 120_000);
