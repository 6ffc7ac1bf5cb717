import fastify from 'fastify';
import pg from 'pg';
import { SEARCH, toSearchAnswer } from './limits/sok.ts';
import { STATUS, toStatusAnswer, type StatusRow } from './limits/tiltaksstatus.ts';

/**
 * The limit that look-ups are compared with: bare Fastify and one prepared statement, planned as Postgres does by itself,
 * for the same answers to the byte; without token, validation or audit. Environment: PORT, DATABASE_URL, POOL_SIZE.
 */
const pool = new pg.Pool({
  connectionString: process.env['DATABASE_URL'],
  max: Number(process.env['POOL_SIZE'] ?? 10),
});
const server = fastify();

const NUMBERS = new Set<number>([pg.types.builtins.INT4, pg.types.builtins.FLOAT8]);
/** Times and dates as Postgres writes them: to parse them would only cost. */
const asWritten = {
  getTypeParser: (oid: number) => (text: string) =>
    NUMBERS.has(oid) ? Number(text) : oid === pg.types.builtins.BOOL ? text === 't' : text,
} as pg.CustomTypesConfig;

interface Body {
  personidenter: string[];
  dato: string;
}

server.post<{ Body: Body }>('/api/v1/personer/tiltaksstatus', async ({ body }) => {
  const { personidenter: persons, dato: date } = body;
  const query = { name: 'status', text: STATUS, values: [persons, date], types: asWritten };
  return toStatusAnswer(persons, date, (await pool.query<StatusRow>(query)).rows);
});
server.post<{ Body: Body }>('/api/v1/avtaler/sok', async ({ body }) => {
  const query = { name: 'sok', text: SEARCH, values: [body.personidenter], types: asWritten };
  return toSearchAnswer((await pool.query<Record<string, string>>(query)).rows);
});
server.get('/internal/isready', () => ({ status: 'OK' }));
await server.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' });
