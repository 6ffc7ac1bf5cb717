import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEnvironment } from '@tiltak/platform';
import { ROOT } from '@tiltak/testing';
import pg from 'pg';
import { SCHEMA } from './config.ts';
import { createIngestor } from './ingestor.ts';

/** Every pool that can be reached, whoever holds it: one that somebody adds is counted too. None is opened here. */
function poolsWithin(root: unknown): Set<pg.Pool> {
  const seen = new Set<unknown>();
  const found = new Set<pg.Pool>();
  const left = [root];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one !== 'object' || one === null || seen.has(one)) continue;
    seen.add(one);
    if (one instanceof pg.Pool) found.add(one);
    else left.push(...(one instanceof Map || one instanceof Set ? one.values() : Object.values(one)));
  }
  return found;
}

test('an ingestor has as many connections as docs/scaling.md says', () => {
  const ingestor = createIngestor(
    readEnvironment(SCHEMA, {
      ORGANISASJON: 'nav',
      HOST: '127.0.0.1',
      DB_HOST: '127.0.0.1',
      DB_DATABASE: 'x',
      DB_USERNAME: 'x',
      DB_PASSWORD: 'x',
      DB_POOL_SIZE: '17',
      KAFKA_BROKERS: '127.0.0.1:1',
      KAFKA_TOPIC: 'x',
      TRIGGER_TOPIC: 'y',
      DELTAKER_ID_NOEKKEL: '0f'.repeat(32),
      DRIFT_GRUPPER: '00000000-0000-4000-8000-0000000000d1',
      AZURE_APP_CLIENT_ID: 'x',
      AZURE_OPENID_CONFIG_ISSUER: 'http://127.0.0.1',
      AZURE_OPENID_CONFIG_JWKS_URI: 'http://127.0.0.1',
    }),
    { serveConsole: () => undefined },
  );
  const ofPools = [...poolsWithin(ingestor)].reduce((sum, { options }) => sum + options.max, 0);
  const { poolSize = 0 } = ingestor.dataSource.options as { poolSize?: number };
  const page = readFileSync(join(ROOT, 'docs', 'scaling.md'), 'utf8');
  expect(page).toContain(`| ingestor  | \`DB_POOL_SIZE\` + ${String(ofPools + poolSize - 17)} at most:`);
});
