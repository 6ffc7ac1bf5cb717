import fastify from 'fastify';
import pg from 'pg';

/**
 * The limit that look-ups are compared with: bare Fastify and a prepared statement for the same rows, without access
 * check, validation or audit. Environment: PORT, DATABASE_URL, POOL_SIZE.
 */
const pool = new pg.Pool({
  connectionString: process.env['DATABASE_URL'],
  max: Number(process.env['POOL_SIZE'] ?? 10),
});
const server = fastify();

const STATUS = `
  select deltaker_fnr, tiltakstype, avtale_status, start_dato::text, slutt_dato::text from avtale_synlig
  where deltaker_fnr = any($1::text[]) and avtale_inngaatt is not null and annullert_tidspunkt is null
    and start_dato <= $2::date and (slutt_dato >= $2::date or slutt_dato is null)`;
const SEARCH = 'select * from avtale_synlig where deltaker_fnr = any($1::text[]) order by avtale_id limit 101';

interface Body {
  personidenter: string[];
  dato?: string;
}

server.post<{ Body: Body }>('/api/v1/personer/tiltaksstatus', async ({ body }) => {
  const { rows } = await pool.query({ name: 'status', text: STATUS, values: [body.personidenter, body.dato] });
  return { personer: rows as unknown[] };
});
server.post<{ Body: Body }>('/api/v1/avtaler/sok', async ({ body }) => {
  const { rows } = await pool.query({ name: 'sok', text: SEARCH, values: [body.personidenter] });
  return { avtaler: rows as unknown[] };
});
server.get('/internal/isready', () => ({ status: 'OK' }));
await server.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' });
