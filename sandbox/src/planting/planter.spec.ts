import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDataSource, migrate } from '@tiltak/database';
import { createTestDatabase, LOCKS_HERE, ROOT, waitUntil } from '@tiltak/testing';
import pg from 'pg';
import { connectionOf, emptyTables } from '../process/database.ts';
import { EMPTIED } from './planter.ts';

/** Of the tables that a reset leaves as they are, why it may. */
const LEFT: Record<string, string[]> = {
  'written anew by the reset itself': ['abonnering', 'instans', 'konsum_offset', 'konsum_status', 'ressurs_status'],
  'made when it starts': ['topic_epoke'],
  'which tables are partitioned': ['partisjonering'],
  'what passes by itself within a minute': ['forbruk'],
  'of the ingestor as a process, and of those on duty, whom the sandbox has not': [
    ...['adapter', 'avstemming', 'avstemming_differanse', 'driftshandling', 'driftsmaaling', 'gjenoppbygging'],
    ...['gjenoppbygging_partisjon', 'gjenoppbygging_sett', 'gjenoppbygging_usett', 'ingestor_i_drift'],
    ...[
      'gjenoppbygging_ressurs_sett',
      'gjenoppbygging_ressurs_usett',
      'gjenoppbygging_ressurs_rettet',
      'gjenoppbygging_ressurs_talt',
      'gjenoppbygging_fortalt',
      'gjenoppbygging_person',
      'registerbunke',
      'registernoekkel_siden',
    ],
    ...['parkert_handling', 'relasjonskontroll', 'stanset_partisjon', 'synk', 'synk_avtale', 'synk_noekkel'],
    ...['synk_side', 'trigger_posisjon'],
  ],
  'numbers that the query-api has in mind, of who asks for what': ['oppslagsform'],
  'of auditors, and months of the audit in files, which the sandbox has not': ['oppslagsarkiv', 'oppslagsinnsyn'],
  'of products for analysis, which are not made of it': ['analyseprodukt'],
  'figures that are not made here': ['statistikk', 'statistikk_tidspunkt'],
};

test('a reset empties every table, or it is said why not', () => {
  const schema = readFileSync(join(ROOT, 'libs', 'database', 'schema.sql'), 'utf8');
  const tables = [...schema.matchAll(/^create (?:unlogged )?table (\w+)/gm)].map(([, name]) => name);
  expect(tables.length).toBeGreaterThan(30);
  expect([...EMPTIED, ...Object.values(LEFT).flat()].sort()).toEqual(tables.sort());
});

test('a reset gives way to who reads, and to what that reads next', async () => {
  const database = await createTestDatabase();
  const owner = await createDataSource({ ...connectionOf(database), ...database.migrering }).initialize();
  const reader = new pg.Client({ connectionString: database.url });
  await reader.connect();
  try {
    await migrate(owner);
    await reader.query('begin; select from abonnement');
    const emptying = emptyTables(owner, EMPTIED);
    const isHeld = `select from ${LOCKS_HERE} where relation = 'abonnement'::regclass and not granted`;
    await waitUntil(async () => (await reader.query(isHeld)).rowCount === 1, { what: 'the reset to wait', everyMs: 5 });
    await reader.query('select from avtale; commit');
    await emptying;
  } finally {
    await reader.end();
    await owner.destroy();
    await database.remove();
  }
});
