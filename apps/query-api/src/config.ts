import {
  databaseVariables,
  entraVariables,
  localIssuerVariables,
  maskinportenVariables,
  commonVariables,
  directoryPath,
  filePath,
  hosts,
  integer,
  list,
  oneOf,
  readEnvironment,
  port,
  text,
  type ConfigOf,
} from '@tiltak/platform';

const poolerVariables = {
  DB_POOLER: oneOf(['nei', 'transaksjon'], {
    description:
      'Whether DB_HOST, and DB_REPLIKA_HOST, are a pooler in transaction mode: the settings of its sessions come with the roles then',
    default: 'nei',
  }),
};

/** Every variable that the query-api reads. */
export const SCHEMA = {
  ...commonVariables,
  ...databaseVariables,
  ...poolerVariables,
  ...entraVariables,
  ...localIssuerVariables,
  ...maskinportenVariables,
  DB_REPLIKA_HOST: hosts({
    description:
      'Read replicas, and a name with several addresses is all of them; look-ups go to DB_HOST when absent, and while none of them can be used. The audit always does',
    optional: true,
  }),
  DB_REPLIKA_PORT: port({ description: 'Port of the read replicas that are given without one', default: 5432 }),
  DB_REPLIKA_MAKS_ETTERSLEP_SEKUNDER: integer({
    description: 'How far behind the primary a replica may be, and still be read from, s',
    default: 30,
    min: 2,
    max: 3_600,
  }),
  DB_STATEMENT_TIMEOUT_MS: integer({
    description: 'The longest a look-up may take, ms',
    default: 5_000,
    min: 100,
    max: 60_000,
  }),
  DELTAKER_ID_NOEKKEL: text({
    description:
      'Key that opaque ids of participants are derived with: 64 or more hex digits, the same in both apps, for ever',
    pattern: /^(?:[0-9a-f]{2}){32,}$/i,
  }),
  MARKOER_NOEKKEL: text({
    description:
      'Key that cursors are sealed with: 64 or more hex digits, the same in all processes. With a new one, pages begin again. Without it, on this machine only, one is derived from DELTAKER_ID_NOEKKEL',
    pattern: /^(?:[0-9a-f]{2}){32,}$/i,
    optional: true,
  }),
  LOKAL_TOKENKILDE: text({
    description: 'Local stack only: token endpoint of the issuer, with ?client_id=, that Swagger UI is authorised from',
    pattern: /^http:\/\/(127\.0\.0\.1|localhost)[:/]\S+$/,
    optional: true,
  }),
  KONSUMENTER_FIL: filePath({ description: 'The registry of consumers, konsumenter.yaml' }),
  DEKNING_FIL: filePath({
    description:
      'Which kinds of measure the organisation knows all of, dekning.yaml; nothing is said of it when absent',
    optional: true,
  }),
};

/** Every variable that the page of auditors reads (`main.cjs revisor`): a process of its own, with the auditor's login. */
const PRODUCTS = { description: 'The products for analysis, analyse.yaml' };
/** To tell who a product is made for, and why. */
const TOLD_OF = { ANALYSE_FIL: filePath({ ...PRODUCTS, optional: true }) };

export const REVISOR_SCHEMA = {
  ...commonVariables,
  ...databaseVariables,
  ...poolerVariables,
  ...entraVariables,
  ...localIssuerVariables,
  DELTAKER_ID_NOEKKEL: SCHEMA.DELTAKER_ID_NOEKKEL,
  KONSUMENTER_FIL: SCHEMA.KONSUMENTER_FIL,
  ...TOLD_OF,
  REVISOR_GRUPPER: list({
    description:
      'Ids of the Entra ID groups whose members may read who has seen a person; those with the role revisor may besides, and nobody else',
    default: [],
  }),
  OPPSLAGSARKIV_KATALOG: directoryPath({
    description: 'Where the months of the audit are that have left the database, as files; none is read when absent',
    optional: true,
  }),
};

export type RevisorConfig = ConfigOf<typeof REVISOR_SCHEMA>;

export function readRevisorConfig(): RevisorConfig {
  return readEnvironment(REVISOR_SCHEMA, process.env);
}

/** What is needed to read the audit: of `SCHEMA`, the database. */
const DATABASE_SCHEMA = { ORGANISASJON: commonVariables.ORGANISASJON, ...databaseVariables, ...poolerVariables };

export function readDatabaseConfig(): ConfigOf<typeof DATABASE_SCHEMA> {
  return readEnvironment(DATABASE_SCHEMA, process.env);
}

/** What a product for analysis is made by: of `SCHEMA`, the database. */
const ANALYSIS_SCHEMA = {
  ...DATABASE_SCHEMA,
  ANALYSE_FIL: filePath(PRODUCTS),
  ANALYSE_NOEKKEL: text({
    description:
      'Key that the idents of a product for analysis are replaced with: 64 or more hex digits, of that product alone',
    pattern: /^(?:[0-9a-f]{2}){32,}$/i,
  }),
  ANALYSE_DB_DATABASE: text({
    description: 'The database, on the same instance, whose tables are replicated; for --til-database',
    optional: true,
  }),
};

export function readAnalysisConfig(): ConfigOf<typeof ANALYSIS_SCHEMA> {
  return readEnvironment(ANALYSIS_SCHEMA, process.env);
}

/** Path of the products for analysis, for whoever is told who they are made for. */
export function readProductsFile(): string | undefined {
  return readEnvironment({ ANALYSE_FIL: TOLD_OF.ANALYSE_FIL }, process.env).ANALYSE_FIL;
}

/** Path of the registry of consumers, for what needs nothing else of the settings. */
export function readKonsumenterFile(): string {
  return readEnvironment({ KONSUMENTER_FIL: SCHEMA.KONSUMENTER_FIL }, process.env).KONSUMENTER_FIL;
}

/** How idents become opaque ids, for what needs nothing else of the settings. */
export function readDeltakerIdKey(): string {
  return readEnvironment({ DELTAKER_ID_NOEKKEL: SCHEMA.DELTAKER_ID_NOEKKEL }, process.env).DELTAKER_ID_NOEKKEL;
}

export function readConfig(): Config {
  return readEnvironment(SCHEMA, process.env);
}

export type Config = ConfigOf<typeof SCHEMA>;
