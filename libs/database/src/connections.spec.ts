import { createPool, type DatabaseOptions } from './connections.ts';

type Tls = { rejectUnauthorized?: boolean; checkServerIdentity?: unknown } | false;

async function tlsTo(host: string, sslmode?: DatabaseOptions['sslmode']): Promise<Tls> {
  const login = { database: 'd', username: 'u', password: 'p', applicationName: 'spec' };
  const limits = { poolSize: 1, statementTimeoutMs: 1_000, connectTimeoutMs: 1_000 };
  // Not connected: nobody asks it for a connection.
  const pool = createPool({ host, port: 1, sslmode, ...login, ...limits });
  await pool.end();
  return pool.options.ssl as Tls;
}

test.each(['localhost', '127.0.0.1', '127.1.2.3', '::1', '/var/run/postgresql'])(
  'without a DB_SSLMODE there is no TLS to this machine: %s',
  async (host) => expect(await tlsTo(host)).toBe(false),
);

test.each(['10.0.0.1', 'postgres', 'localhost.example.no', '127.0.0.1.example.no', '1127.0.0.1'])(
  'without a DB_SSLMODE the certificate and the name of another are verified: %s',
  async (host) => {
    const tls = await tlsTo(host);
    expect(tls).toMatchObject({ rejectUnauthorized: true });
    expect(tls).not.toHaveProperty('checkServerIdentity');
  },
);

test('what DB_SSLMODE says goes before', async () => {
  expect(await tlsTo('postgres', 'disable')).toBe(false);
  expect(await tlsTo('127.0.0.1', 'verify-full')).toMatchObject({ rejectUnauthorized: true });
  expect(await tlsTo('postgres', 'require')).toMatchObject({ rejectUnauthorized: false });
});
