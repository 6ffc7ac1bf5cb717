import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestTopic, ROOT, waitUntil } from '@tiltak/testing';
import { exampleAvtale } from '../local/example-avtale.ts';
import { exampleVirksomheter } from '../local/example-virksomheter.ts';
import { readLocalKonsumenter } from '../local/token.ts';
import { System } from './system.ts';

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  example?: unknown;
  schema: { example?: unknown };
}
interface Operation {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { examples?: Record<string, { value: unknown }> }> };
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
}

/** A list of named values, which Swagger UI shows to choose among. */
const CHOSEN: Record<string, string> = { per: 'TILTAKSTYPE' };

/** What Swagger UI fills in by itself: every example, and of several bodies each. */
function requestsOf(
  path: string,
  method: string,
  { parameters = [], requestBody }: Operation,
): [string, RequestInit][] {
  const query = new URLSearchParams();
  let url = path;
  for (const { name, in: place, required, example, schema } of parameters) {
    const value = example ?? schema.example ?? CHOSEN[name];
    if (required === true && value === undefined) throw new Error(`${path}: ${name} has no example`);
    if (place === 'path') url = url.replace(`{${name}}`, encodeURIComponent(String(value)));
    if (place === 'query' && value !== undefined) query.set(name, String(value));
  }
  const address = query.size > 0 ? `${url}?${String(query)}` : url;
  const examples = Object.values(requestBody?.content['application/json']?.examples ?? {});
  if (examples.length === 0) return [[address, { method }]];
  return examples.map(({ value }) => [address, { method, body: JSON.stringify(value) }]);
}

/** What documents ask, as it stands there: the call, and its body below. */
function examplesIn(documents: string[]): { document: string; address: string; init: RequestInit }[] {
  const found = documents.flatMap((document) =>
    [
      ...readFileSync(join(ROOT, 'docs', document), 'utf8').matchAll(
        /^```(?:http)?\n(GET|POST|PUT) (\S+)\n([^`]*)```$/gm,
      ),
    ].map(([, method = '', address = '', body = '']) => ({
      ...{ document, address },
      init: { method, ...(body.trim() === '' ? {} : { body }) },
    })),
  );
  expect(new Set(found.map(({ document }) => document))).toEqual(new Set(documents));
  return found;
}

const CURL =
  /curl -s (?:-X (\w+) )?'?http:\/\/127\.0\.0\.1:3000([^\s']+)(?:[^']*'Content-Type: application\/json' -d '([^']*)')?/g;

/** What a document lets a newcomer copy to the local stack, which has more data than there is here. */
function curlsIn(document: string): { document: string; address: string; init: RequestInit }[] {
  const text = readFileSync(join(ROOT, 'docs', document), 'utf8');
  const found = Array.from(text.matchAll(CURL), ([, method = 'GET', address = '', body]) => ({
    ...{ document, address },
    init: { method, ...(body !== undefined && { body }) },
  }));
  expect(found.length).toBeGreaterThan(4);
  return found;
}

/** An avtale, a virksomhet, a person who is on a measure, what is told of the data, or of the one who asks. */
const TELLS =
  /"avtaleId":"|"organisasjonsnummer":"|"svar":"JA"|"partisjoner":\[\{|"dekning":|"per":|"konsument":"|"antallBedrifter":/;

test('every operation, asked as the document of the local stack stands, or as docs do, is answered with what the sample data has', async () => {
  const system = await System.create({ partitions: 1 });
  const virksomheter = await createTestTopic();
  const azp = readLocalKonsumenter().find(({ navn: name }) => name === 'alt')?.azp ?? '';
  try {
    const lines = readFileSync(join(ROOT, 'libs', 'simulator', 'src', 'data', 'avtale-events.jsonl'), 'utf8').split(
      '\n',
    );
    const sample = lines.filter((line) => line.includes('04d0033c-754b-4daa-b5ff-6531dc64582c'));
    const messages = sample.map((value) => ({ key: '04d0033c-754b-4daa-b5ff-6531dc64582c', value }));
    await system.publish([...messages, exampleAvtale(new Date())]);
    await virksomheter.publish(exampleVirksomheter());
    await system.startIngestor({ VIRKSOMHET_TOPIC: virksomheter.topic });
    const { url } = await system.startQueryApi({ LOKAL_TOKENKILDE: `${system.env.issuer}/token?client_id=${azp}` });
    const headers = { ...(await system.as('alt')), 'content-type': 'application/json' };
    await waitUntil(async () => (await fetch(`${url}/api/v1/avtaler/nummer/900001`, { headers })).status === 200, {
      what: 'the avtale of the examples',
    });
    await waitUntil(async () => (await fetch(`${url}/api/v1/virksomheter/910825518`, { headers })).status === 200, {
      what: 'the virksomhet of the examples',
    });
    const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
    const empty: string[] = [];
    // A feed tells of what has just been written when no transaction from before it is open, in any database of the server.
    const expectTold = async (what: string, address: string, init: RequestInit, tells: RegExp): Promise<void> => {
      let told = '';
      const isTold = async (): Promise<boolean> => {
        const response = await fetch(`${url}${address}`, { ...init, headers });
        told = await response.text();
        return response.status === 200 && tells.test(told);
      };
      await waitUntil(isTold, { what }).catch(() => empty.push(`${what} ${address}: ${told.slice(0, 200)}`));
    };
    for (const [path, methods] of Object.entries(document.paths)) {
      // What one makes before one asks for it comes first.
      for (const method of ['put', 'get', 'post']) {
        const operation = methods[method];
        if (!operation) continue;
        for (const [address, init] of requestsOf(path, method.toUpperCase(), operation))
          await expectTold(operation.operationId, address, init, TELLS);
      }
    }
    for (const { document, address, init } of [
      ...examplesIn(['clients.md', 'konsumenter.md']),
      ...curlsIn('konsumenter.md'),
    ])
      await expectTold(
        `docs/${document}, ${init.method ?? ''}`,
        address,
        init,
        /"910(7122|8255)|"avtaleId":"|"antallBedrifter":|"personident":"/,
      );
    expect(empty).toEqual([]);
  } finally {
    await virksomheter.remove();
    await system.stop();
  }
}, 120_000);
