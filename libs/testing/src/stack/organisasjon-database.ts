import { randomBytes } from 'node:crypto';
import pg from 'pg';

export interface Login {
  username: string;
  password: string;
}

/** A database of an organisation, and who may do what in it. */
export interface OrganisasjonDatabase {
  host: string;
  port: number;
  database: string;
  /** as superuser */
  url: string;
  /** owns the schema */
  migrering: Login;
  ingestor: Login;
  queryApi: Login;
  /** of the page and the commands of auditors */
  revisor: Login;
}

export const databaseOf = (organisasjon: string): string => `tiltak_${organisasjon.replaceAll('-', '_')}`;
const userOf = (organisasjon: string, name: string): string => `${organisasjon}_${name}`.replaceAll('-', '_');

/**
 * Makes the organisation's database and roles, as a platform would; what exists gets new passwords.
 *
 * @param template organisation on the same server whose database is copied, with nobody connected to it; one that exists is
 *   left as it is
 */
export async function createDatabase(
  superUrl: string,
  organisasjon: string,
  template?: string,
): Promise<OrganisasjonDatabase> {
  const { hostname, port } = new URL(superUrl);
  const database = databaseOf(organisasjon);
  const login = (name: string): Login => ({
    username: userOf(organisasjon, name),
    password: randomBytes(18).toString('hex'),
  });
  const [migrering, ingestor, queryApi, revisor] = [
    login('migrering'),
    login('ingestor'),
    login('query_api'),
    login('revisor'),
  ];
  const client = new pg.Client({ connectionString: superUrl });
  await client.connect();
  try {
    // Roles belong to the whole server, and several suites make them at the same time.
    await client.query('select pg_advisory_lock(7220317)');
    for (const role of ['skriver', 'leser', 'revisor', 'analyse', 'replikering'])
      await ensureRole(client, `datadeling_${role}`, 'nologin');
    await ensureRole(client, migrering.username, `login createrole password '${migrering.password}'`);
    await ensureRole(client, ingestor.username, `login password '${ingestor.password}' in role datadeling_skriver`);
    await ensureRole(client, queryApi.username, `login password '${queryApi.password}' in role datadeling_leser`);
    await ensureRole(client, revisor.username, `login password '${revisor.password}' in role datadeling_revisor`);
    const { rowCount } = await client.query('select from pg_database where datname = $1', [database]);
    if (rowCount === 0) {
      const from = template === undefined ? '' : `template ${databaseOf(template)}`;
      await client.query(`create database ${database} owner ${migrering.username} ${from}`);
    }
    await client.query(`revoke all on database ${database} from public`);
    for (const { username } of [ingestor, queryApi, revisor]) {
      // One that an earlier version made had the right to make temporary tables.
      await client.query(`revoke temporary on database ${database} from ${username}`);
      await client.query(`grant connect on database ${database} to ${username}`);
    }
  } finally {
    await client.end();
  }
  const url = new URL(superUrl);
  url.pathname = `/${database}`;
  if (template !== undefined) await takeOver(url.href, userOf(template, 'migrering'), migrering.username);
  return { host: hostname, port: Number(port), database, url: url.href, migrering, ingestor, queryApi, revisor };
}

/** What a copy has from its template belongs to the template's owner, and has its epoch. */
async function takeOver(url: string, from: string, to: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`reassign owned by ${from} to ${to}`);
    await client.query('update instans set epoke = gen_random_uuid()');
  } finally {
    await client.end();
  }
}

async function ensureRole(client: pg.Client, role: string, options: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role]);
  const withoutMembership = options.replace(/ in role .*/, '');
  await client.query(rowCount === 0 ? `create role ${role} ${options}` : `alter role ${role} ${withoutMembership}`);
}
