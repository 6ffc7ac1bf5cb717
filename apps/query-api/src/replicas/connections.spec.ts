import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { readEnvironment } from '@tiltak/platform';
import { SCHEMA, type Config } from '../config.ts';
import { createQueryApi } from '../query-api.ts';

/** How many connections a query-api has, as docs/scaling.md counts them. None is opened here. */
function configWith(extra: Record<string, string>): Config {
  return readEnvironment(SCHEMA, {
    ORGANISASJON: 'nav',
    HOST: '127.0.0.1',
    DB_HOST: '127.0.0.1',
    DB_DATABASE: 'x',
    DB_USERNAME: 'x',
    DB_PASSWORD: 'x',
    DELTAKER_ID_NOEKKEL: '0f'.repeat(32),
    KONSUMENTER_FIL: join(ROOT, 'tools', 'local', 'konsumenter.yaml'),
    AZURE_APP_CLIENT_ID: 'x',
    AZURE_OPENID_CONFIG_ISSUER: 'http://127.0.0.1',
    AZURE_OPENID_CONFIG_JWKS_URI: 'http://127.0.0.1',
    ...extra,
  });
}

test('a query-api has as many connections as docs/scaling.md says', () => {
  const { pools, dataSource } = createQueryApi(configWith({ DB_POOL_SIZE: '17' }));
  const ofPools = Object.values(pools).reduce((sum, { options }) => sum + options.max, 0);
  const { poolSize = 0 } = dataSource.options as { poolSize?: number };
  const page = readFileSync(join(ROOT, 'docs', 'scaling.md'), 'utf8');
  expect(page).toContain(`| query-api | \`DB_POOL_SIZE\` + ${String(ofPools + poolSize - 17)}:`);
});

test('with replicas it has those for look-ups and exports at each of them', () => {
  const { pools } = createQueryApi(configWith({ DB_POOL_SIZE: '17', DB_REPLIKA_HOST: 'a,b' }));
  const page = readFileSync(join(ROOT, 'docs', 'scaling.md'), 'utf8');
  expect(page).toContain(
    `at most \`DB_POOL_SIZE\` + ${String(pools.lesing.options.max + pools.eksport.options.max - 17)}`,
  );
});
