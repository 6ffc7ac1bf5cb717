import fs from 'node:fs';
import pg from 'pg';
import { GRANTABLE_FIELDS } from '@tiltak/avtale';
import type { AvtaleFilter } from './avtaler/avtaler.filter.ts';
import { WHOLE_AVTALE } from './avtaler/avtaler.fields.ts';
import { searchQuery } from './avtaler/avtaler.queries.ts';
import { startTestApi, type TestApi } from './testing/test-api.ts';
import { fillSkewed, filterValues, readsOf } from './testing/skewed-avtaler.ts';

/** Every combination of filters that the document allows, among a million avtaler: what each page costs is bounded. */
const COUNT = Number(process.env['SKEWED'] ?? 1_000_000);
const SIZE = 100;
let api: TestApi;
let db: pg.Client;

beforeAll(async () => {
  api = await startTestApi();
  await fillSkewed(api.owner, COUNT);
  const { host, port, database, queryApi } = api.database;
  db = new pg.Client({ host, port, database, user: queryApi.username, password: queryApi.password });
  await db.connect();
}, 900_000);
afterAll(async () => {
  await db.end();
  await api.stop();
});

test('x', async () => {
  const values = filterValues(['a'],'b');
  const worst = [];
  const ones: AvtaleFilter[] = [];
  for (const name of ['bedriftsnumre','tiltakstyper','statuser','faser','periode','endretEtter'] as const) for (const v of values[name]) ones.push({ [name]: v });
  for (const moment of [undefined, values.gjeldendePer[0]])
  for (const one of ones) for (const after of [undefined, '80000000-0000-4000-8000-000000000000']) {
    const f = moment ? {...one, gjeldendePer: moment} : one;
    const q = searchQuery(f, moment ? GRANTABLE_FIELDS : WHOLE_AVTALE, { after, limit: SIZE + 1 });
    const t0 = Date.now();
    const { rows } = await db.query(q.statement.text, q.values as unknown[]);
    const { read, ms, plan } = await readsOf(db, q);
    const n = rows.filter((r) => r.naadd == null).length;
    worst.push(`${JSON.stringify(f)} ${after ? 'later' : ''} rows=${n} read=${read} ms=${ms} wall=${Date.now()-t0}${read > 20*Math.min(n,SIZE)+1000 ? ' BAD' : ''}`);
    if (read > 20*Math.min(n,SIZE)+1000 && worst.length) fs.writeFileSync(`/tmp/fourteen/search-plan-${worst.length}.json`, plan);
  }
  console.log(worst.join('\n'));
}, 900_000);
