import { randomBytes } from 'node:crypto';
import pg from 'pg';

export interface Innlogging {
  username: string;
  password: string;
}

/** A database of an organisation, and who may do what in it. */
export interface Organisasjonsdatabase {
  host: string;
  port: number;
  database: string;
  /** as superuser */
  url: string;
  /** owns the schema */
  migrering: Innlogging;
  ingestor: Innlogging;
  queryApi: Innlogging;
}

/** Makes the organisation's database and roles, as a platform would; what exists gets new passwords. */
export async function opprettDatabase(superUrl: string, organisasjon: string): Promise<Organisasjonsdatabase> {
  const { hostname, port } = new URL(superUrl);
  const database = `tiltak_${organisasjon.replaceAll('-', '_')}`;
  const innlogging = (navn: string): Innlogging => ({
    username: `${organisasjon}_${navn}`.replaceAll('-', '_'),
    password: randomBytes(18).toString('hex'),
  });
  const [migrering, ingestor, queryApi] = [innlogging('migrering'), innlogging('ingestor'), innlogging('query_api')];
  const klient = new pg.Client({ connectionString: superUrl });
  await klient.connect();
  try {
    // Roles belong to the whole server, and several suites make them at the same time.
    await klient.query('select pg_advisory_lock(7220317)');
    for (const rolle of ['datadeling_skriver', 'datadeling_leser', 'datadeling_revisor'])
      await rolleFinnes(klient, rolle, 'nologin');
    await rolleFinnes(klient, migrering.username, `login createrole password '${migrering.password}'`);
    await rolleFinnes(klient, ingestor.username, `login password '${ingestor.password}' in role datadeling_skriver`);
    await rolleFinnes(klient, queryApi.username, `login password '${queryApi.password}' in role datadeling_leser`);
    const { rowCount } = await klient.query('select from pg_database where datname = $1', [database]);
    if (rowCount === 0) await klient.query(`create database ${database} owner ${migrering.username}`);
    await klient.query(`revoke all on database ${database} from public`);
    await klient.query(`grant connect, temporary on database ${database} to ${ingestor.username}`);
    await klient.query(`grant connect on database ${database} to ${queryApi.username}`);
  } finally {
    await klient.end();
  }
  const url = new URL(superUrl);
  url.pathname = `/${database}`;
  return { host: hostname, port: Number(port), database, url: url.href, migrering, ingestor, queryApi };
}

async function rolleFinnes(klient: pg.Client, rolle: string, valg: string): Promise<void> {
  const { rowCount } = await klient.query('select from pg_roles where rolname = $1', [rolle]);
  const utenMedlemskap = valg.replace(/ in role .*/, '');
  await klient.query(rowCount === 0 ? `create role ${rolle} ${valg}` : `alter role ${rolle} ${utenMedlemskap}`);
}
