import { readFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { OpenAPIObject } from '@nestjs/swagger';
import { AVTALE_FIELDS, FIELD_ENTRIES, GRANTABLE_FIELDS, PERSONAL_DATA } from '@tiltak/avtale';
import { needsBrowser, ROOT, startBrowser } from '@tiltak/testing';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { buildSchema } from 'graphql';
import { DataFactory, Parser, Store } from 'n3';
import { parse } from 'yaml';
import { OPERATIONS } from '../access/operations.ts';
import { fieldsOf, granted } from '../resources/resource.ts';
import { RESOURCES } from '../resources/resources.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { catalogueOf } from './catalogue.ts';
import { CATALOGUE_FILES } from './files.ts';
import odcs from './odcs/odcs-3.1.schema.json' with { type: 'json' };

const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), 'utf8');
const document = JSON.parse(read('apps', 'query-api', 'openapi.json')) as OpenAPIObject;
const fields = catalogueOf(document);

describe('the catalogue is whole', () => {
  test('every field is in it, said of in full, and answered somewhere if it can be granted', () => {
    expect(fields.map(({ name }) => name)).toEqual([...AVTALE_FIELDS, 'fase', 'hovedenhet']);
    const answered = fields.filter(({ answers }) => answers.length > 0).map(({ name }) => name);
    expect(answered).toEqual(GRANTABLE_FIELDS);
    for (const { name, meaning, rule, since, personalData } of fields) {
      expect([name, meaning.length > 8, rule.length > 8, PERSONAL_DATA.includes(personalData)]).toEqual([
        ...[name, true, true, true],
      ]);
      expect(since).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });

  test('every column is in the schema of the database, with that type', () => {
    const sql = read('libs', 'database', 'schema.sql');
    const [, table = ''] = /create table avtale \(([\s\S]*?)\n\);/.exec(sql) ?? [];
    for (const { column } of fields) if (column) expect(table).toContain(`\n  ${column.name} ${column.type}`);
  });

  test('every member of an avtale that is published is a field, in the words of the catalogue, or goes with one', () => {
    const { Avtale } = document.components?.schemas ?? {};
    if (!Avtale || !('properties' in Avtale)) throw new Error('There is no schema Avtale');
    const described = Object.entries(Avtale.properties ?? {}).map(([name, schema]): [string, string | undefined] => [
      name,
      'description' in schema ? schema.description : '',
    ]);
    const others = new Map<string, string | undefined>(described);
    for (const name of GRANTABLE_FIELDS) {
      expect([name, others.get(name)]).toEqual([name, expect.stringContaining(FIELD_ENTRIES[name].meaning)]);
      others.delete(name);
    }
    expect([...others.keys()]).toEqual(['annullertUnderveis', '_links']);
  });

  test('what an operation takes a grant for is told to be answered by it', () => {
    for (const [operation, needed] of Object.entries(OPERATIONS)) {
      // Those of other resources are in the data contract.
      for (const name of needed.filter((one) => !one.includes('.'))) {
        const { answers = [] } = fields.find((field) => field.name === name) ?? {};
        expect([operation, name, answers.flatMap(({ operations }) => operations)]).toEqual([
          ...[operation, name, expect.arrayContaining([operation])],
        ]);
      }
    }
  });

  test('the personal data that tell who somebody is are as the fields say', () => {
    const of = (kind: string): string[] =>
      fields.filter(({ personalData }) => personalData === kind).map(({ name }) => name);
    expect(of('FODSELSNUMMER')).toEqual(['deltakerFnr']);
    expect(of('ANSATT')).toEqual(['veilederNavIdent', 'godkjentAvNavIdent', 'godkjentAvBeslutterNavIdent']);
  });
});

describe('its documents', () => {
  test.each(Object.entries(CATALOGUE_FILES))('%s is committed as it is: run npm run openapi', (name, text) => {
    expect(read('apps', 'query-api', 'katalog', name)).toBe(text(document));
  });

  test('the data contract keeps the schema of ODCS 3.1', () => {
    const validate = new Ajv2019({ allErrors: true, strict: false, validateFormats: false }).compile(odcs);
    const contract = parse(CATALOGUE_FILES['datakontrakt.yaml'](document)) as { schema: { properties: object[] }[] };
    validate(contract);
    expect(validate.errors).toBeNull();
    expect(contract.schema[0]?.properties).toHaveLength(fields.length);
    validate({ ...contract, status: undefined, schema: [{ properties: [] }] });
    expect(validate.errors).not.toBeNull();
  });

  test('the description of the service is DCAT, with what DCAT-AP-NO demands of each thing', () => {
    const DCAT = 'http://www.w3.org/ns/dcat#';
    const DCT = 'http://purl.org/dc/terms/';
    const base = 'https://tjenesten.example.no/katalog/dcat-ap-no.ttl';
    const store = new Store(new Parser({ baseIRI: base }).parse(CATALOGUE_FILES['dcat-ap-no.ttl']()));
    const { namedNode } = DataFactory;
    const demanded = {
      Catalog: [`${DCT}title`, `${DCT}description`, `${DCT}publisher`, `${DCAT}contactPoint`, `${DCAT}dataset`],
      Dataset: [`${DCT}title`, `${DCT}description`, `${DCT}publisher`, `${DCAT}contactPoint`, `${DCAT}theme`],
      DataService: [`${DCT}title`, `${DCT}publisher`, `${DCAT}contactPoint`, `${DCAT}endpointURL`],
      Distribution: [`${DCAT}accessURL`],
    };
    const type = namedNode('http://www.w3.org/1999/02/22-rdf-syntax-ns#type');
    for (const [name, properties] of Object.entries(demanded)) {
      const things = store.getSubjects(type, namedNode(`${DCAT}${name}`), null);
      expect([name, things.length > 0]).toEqual([name, true]);
      for (const thing of things) {
        for (const property of properties) {
          expect([name, property, store.countQuads(thing, namedNode(property), null, null) > 0]).toEqual([
            ...[name, property, true],
          ]);
        }
      }
    }
    // What is referred to in it is in it.
    const own = store.getObjects(null, null, null).filter(({ value }) => value.startsWith(`${base}#`));
    for (const thing of own)
      expect([thing.value, store.countQuads(thing, null, null, null) > 0]).toEqual([thing.value, true]);
    const endpointOf = (name: string): string | undefined =>
      store.getObjects(namedNode(`${base}#${name}`), namedNode(`${DCAT}endpointURL`), null)[0]?.value;
    expect(endpointOf('tjeneste')).toBe('https://tjenesten.example.no/api/v1');
    // All that there are, also the topic, which is by its own document.
    const [events] = store.getObjects(namedNode(`${base}#endringshendelser`), namedNode(`${DCT}conformsTo`), null);
    expect(store.getObjects(events ?? null, namedNode(`${DCT}source`), null).map(({ value }) => value)).toEqual([
      'https://tjenesten.example.no/katalog/asyncapi.yaml',
    ]);
    const served = store.getObjects(namedNode(`${base}#avtaler`), namedNode(`${DCAT}distribution`), null);
    expect(served.map(({ value }) => value.split('#')[1])).toEqual(
      expect.arrayContaining(['json', 'abonnement', 'ndjson', 'endringshendelser']),
    );
  });

  test('the schema of GraphQL is one', () => {
    const schema = buildSchema(CATALOGUE_FILES['skjema.graphql']());
    expect(schema.getType('Avtale')?.toConfig()).toMatchObject({ name: 'Avtale' });
    expect(schema.getType('Tiltakstype')).toBeDefined();
  });
});

describe('as it is served', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  interface Answer {
    status: number | undefined;
    headers: IncomingHttpHeaders;
    body: Buffer;
  }

  /** As it comes: fetch would unpack it. */
  async function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
    const response = await new Promise<IncomingMessage>((done, failed) => {
      request(`${api.url}${path}`, { method, headers }, done).on('error', failed).end();
    });
    return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
  }

  test.each(['/openapi.json', '/katalog', ...Object.keys(CATALOGUE_FILES).map((name) => `/katalog/${name}`)])(
    '%s needs no token, and is small, or nothing at all for who has it',
    async (path) => {
      const plain = await ask(path);
      expect([plain.status, plain.headers['content-length']]).toEqual([200, String(plain.body.length)]);
      expect(plain.headers).toMatchObject({ 'cache-control': 'public, no-cache', vary: 'Accept-Encoding' });
      const { etag = '' } = plain.headers;
      for (const [encoding, unpack] of [
        ['br', brotliDecompressSync],
        ['gzip', gunzipSync],
      ] as const) {
        const packed = await ask(path, { 'accept-encoding': encoding });
        expect(packed.headers).toMatchObject({ 'content-encoding': encoding, etag });
        expect(packed.headers['content-length']).toBe(String(packed.body.length));
        expect(packed.body.length).toBeLessThan(plain.body.length / 1.5);
        expect(unpack(packed.body).equals(plain.body)).toBe(true);
        const head = await ask(path, { 'accept-encoding': encoding }, 'HEAD');
        expect([head.status, head.body.length, head.headers['content-length']]).toEqual([
          ...[200, 0, packed.headers['content-length']],
        ]);
        const again = await ask(path, { 'accept-encoding': encoding, 'if-none-match': etag });
        expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, etag]);
      }
      expect((await ask(path, { 'if-none-match': 'W/"noe annet"' })).status).toBe(200);
    },
  );

  test('the page has every field, and the documents have what is committed', async () => {
    const page = String((await ask('/katalog')).body);
    for (const { name } of fields) expect(page).toContain(`<h3 id="${name}">`);
    for (const read of RESOURCES)
      for (const name of fieldsOf(read)) expect(page).toContain(`<h3 id="${granted(read, name)}">`);
    // The documents of the bar are laid by the build.
    for (const [, href = ''] of page.matchAll(/<a href="(\/(?!dokumentasjon\/)[^"]+)"/g))
      expect([href, (await ask(href)).status]).toEqual([href, 200]);
    expect(String((await ask('/katalog/datakontrakt.yaml')).body)).toBe(CATALOGUE_FILES['datakontrakt.yaml'](document));
  });

  needsBrowser(test)(
    'is for everybody: nothing that axe takes for serious, in light and dark, also on a phone',
    async () => {
      const browser = await startBrowser();
      try {
        // axe is not the page's own script, which its policy would refuse.
        const page = await browser.newPage({ viewport: { width: 390, height: 844 }, bypassCSP: true });
        await page.goto(`${api.url}/katalog`);
        await page.addScriptTag({ path: join(ROOT, 'node_modules', 'axe-core', 'axe.min.js') });
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          const { violations } = (await page.evaluate('axe.run()')) as {
            violations: { id: string; impact: string; nodes: { html: string }[] }[];
          };
          const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
          expect(serious.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
          // Nothing but the table is wider than the screen.
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
        }
      } finally {
        await browser.close();
      }
    },
    180_000,
  );
});
