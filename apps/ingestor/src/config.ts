import {
  databaseVariables,
  entraVariables,
  localIssuerVariables,
  maskinportenVariables,
  commonVariables,
  filePath,
  integer,
  organisasjonsnummer,
  organisasjonsnumre,
  readEnvironment,
  list,
  oneOf,
  port,
  text,
  type ConfigOf,
} from '@tiltak/platform';

/** Where Postgres itself is, when there is a pooler in front of it. */
const directVariables = {
  DB_DIREKTE_HOST: text({
    description:
      'Host of Postgres itself, when DB_HOST is a pooler: the ingestor and its commands need sessions of their own',
    optional: true,
  }),
  DB_DIREKTE_PORT: port({ description: 'Port of Postgres itself', default: 5432 }),
};

/** For how long what grows with time is kept. */
export const RETENTION_VARIABLES = {
  ENDRINGER_BEHOLDES_DAGER: integer({
    description:
      'Changes are kept in the feed for this long at least, days: they go by whole months; a reader that is further behind starts again',
    default: 90,
    min: 1,
    max: 3_650,
  }),
  OPPSLAG_DAGER: integer({
    description:
      'Lines of the audit of look-ups are kept for this long at least, days: they go by whole months; without it nothing of the audit goes',
    optional: true,
    min: 90,
    max: 36_500,
  }),
};

/** Where it is in a topic is kept by the topic's name. */
const TOPIC = { apart: 'TOPIC' };

/** Every variable that the ingestor reads. */
export const SCHEMA = {
  ...commonVariables,
  ...databaseVariables,
  ...directVariables,
  ...entraVariables,
  ...localIssuerVariables,
  ...maskinportenVariables,
  DELTAKER_ID_NOEKKEL: text({
    description: 'Key that opaque ids of participants are derived with, the same in both apps, for ever',
    pattern: /^(?:[0-9a-f]{2}){32,}$/i,
  }),
  KAFKA_BROKERS: list({ description: 'Brokers, host:port' }),
  KAFKA_TOPIC: text({
    ...TOPIC,
    description: "The organisation's topic",
    default: 'arbeidsgiver.tiltak-avtale-hendelse-compact',
  }),
  KAFKA_GROUP_ID: text({ description: 'Consumer group; tiltak-datadeling-<organisasjon> when absent', optional: true }),
  IDENT_TOPIC: text({
    ...TOPIC,
    description:
      "The person register's topic: which idents are one person's, as JSON (ADR 27); without it, an ident is a person",
    optional: true,
  }),
  VIRKSOMHET_TOPIC: text({
    ...TOPIC,
    description:
      'Topic of employers: their names, and what they are parts of (ADR 64); without it, nothing is known of them but their numbers',
    optional: true,
  }),
  TRIGGER_TOPIC: text({
    ...TOPIC,
    description:
      'Topic that each change of an avtale is told of on, as CloudEvents (ADR 48); without it, changes are read from the feed alone',
    optional: true,
  }),
  KAFKA_CA_PATH: filePath({
    description: 'Certificate authority of the brokers; mTLS when all three are set, none when none is',
    optional: true,
    group: 'KAFKA_TLS',
  }),
  KAFKA_CERTIFICATE_PATH: filePath({ description: 'Client certificate', optional: true, group: 'KAFKA_TLS' }),
  KAFKA_PRIVATE_KEY_PATH: filePath({
    description: 'Key of the client certificate',
    optional: true,
    group: 'KAFKA_TLS',
  }),
  DRIFT_GRUPPER: list({
    description: 'Ids of the Entra ID groups whose members are on duty; those with the role drift are besides',
    default: [],
  }),
  ADAPTER_KAN_SKRIVE: oneOf(['ja', 'nei', 'virksomheter'], {
    description:
      "Whether the organisation's adapter may write to the topics: nei, or virksomheter alone, where the source publishes avtaler itself",
    default: 'nei',
  }),
  MASKINPORTEN_ORGANISASJONSNUMMER: organisasjonsnummer({
    description: 'Organisation number of this organisation: whose adapter may come with a token of Maskinporten',
    optional: true,
    group: 'MASKINPORTEN',
  }),
  MASKINPORTEN_LEVERANDOERER: organisasjonsnumre({
    description: "Organisation numbers of the suppliers whose adapter may come on this organisation's behalf",
    default: [],
  }),
  ADAPTER_MAKS_SLETTES_PROSENT: integer({
    description:
      'A full sync that would delete more than this share of the avtaler waits to be confirmed, and so does a rebuild of another resource, percent',
    default: 20,
    max: 100,
  }),
  ADAPTER_SYNK_STANSET_SEKUNDER: integer({
    description: 'A sync without a new page for this long is shown as stalled, s',
    default: 180,
    min: 1,
  }),
  ADAPTER_SYNK_UTLOEPER_SEKUNDER: integer({
    description: 'A sync without a new page for this long has expired, s',
    default: 900,
    min: 1,
  }),
  ...RETENTION_VARIABLES,
  HISTORIKK_TIDLIGERE_IDENT: oneOf(['FJERNES', 'BEHOLDES'], {
    description:
      'What becomes of the ident that older versions of an avtale bear, once the source has corrected it: it is replaced by the corrected one, or kept',
    default: 'FJERNES',
  }),
  AVSTEMMING_HVER_TIMER: integer({
    description:
      'Reconciles with the topic by itself, this many hours after it was last done; 0: only when somebody asks',
    default: 0,
    min: 0,
    max: 744,
  }),
  RELASJONSKONTROLL_HVER_TIMER: integer({
    description: 'Checks the relations by itself, this many hours after it was last done; 0: only when somebody asks',
    default: 24,
    min: 0,
    max: 744,
  }),
  DB_PLASS_GB: integer({
    description: "Size of the database's disk, GB, so that it is told before it is full; 0: not known",
    default: 0,
    min: 0,
    max: 1_000_000,
  }),
  DRIFT_ORGANISASJONER: list({
    description:
      'The organisations that the page of all of them shows, name=address of its ingestor for each; name=address|address of its page where people reach that at another',
    default: [],
  }),
  AVSTEMMING_MAKS_LINJER: integer({
    description: "Lines that the source's list of a reconciliation may have",
    default: 5_000_000,
    min: 1,
    max: 100_000_000,
  }),
  AVSTEMMING_FRIST_SEKUNDER: integer({
    description: "Changes this much older than the source's list need not have come yet, seconds",
    default: 300,
    min: 0,
    max: 86_400,
  }),
};

/** What a command that only needs the database reads. */
const DATABASE_SCHEMA = { ORGANISASJON: commonVariables.ORGANISASJON, ...databaseVariables, ...directVariables };

export type DatabaseConfig = ConfigOf<typeof DATABASE_SCHEMA>;

export function readDatabaseConfig(): DatabaseConfig {
  return readEnvironment(DATABASE_SCHEMA, process.env);
}

/** What `rydding` reads: as the ingestor decides what goes. */
const RYDDING_SCHEMA = { ...DATABASE_SCHEMA, ...RETENTION_VARIABLES };

export function readRyddingConfig(): ConfigOf<typeof RYDDING_SCHEMA> {
  return readEnvironment(RYDDING_SCHEMA, process.env);
}

/** What `avstem` reads: it calls the ingestor as anybody on duty does. */
const AVSTEM_SCHEMA = {
  PORT: commonVariables.PORT,
  TOKEN: text({ description: 'Token of a person on duty' }),
};

export function readAvstemConfig(): ConfigOf<typeof AVSTEM_SCHEMA> {
  return readEnvironment(AVSTEM_SCHEMA, process.env);
}

export function readConfig(): Config {
  return readEnvironment(SCHEMA, process.env);
}

export type Config = ConfigOf<typeof SCHEMA>;
