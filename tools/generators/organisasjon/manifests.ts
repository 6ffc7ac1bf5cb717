import { CLOSED, variablesComment } from './outside.ts';
import { ownTopic, topicName, triggerTopic, triggerTopicName } from './names.ts';

export const ENVIRONMENTS = ['dev', 'prod'] as const;
type Env = (typeof ENVIRONMENTS)[number];

/** An application that may call ours. */
export interface InboundApp {
  navn: string;
  /** of its team; the same as ours when absent */
  namespace?: string;
}

const HEADER = `# The registry of consumers in {}; see apps/query-api/src/access/konsumenter.schema.json and docs/konsumenter.md.
`;

/** Registries that nobody has been given access in. */
export const EMPTY_REGISTRIES: Record<Env, string> = {
  dev: `${HEADER.replace('{}', 'dev')}[]
`,
  prod: `${HEADER.replace('{}', 'production')}# A consumer is added by a pull request that the team that owns the data approves, with the version of
# docs/bruksvilkaar.md that it has accepted. None has been given access yet.
[]
`,
};

/** Nobody but people on duty reaches the ingestor until the adapter's application stands here. */
export const NO_ADAPTER = (name: string, env: Env): string =>
  `# The applications of the adapter in ${env}, which may call /adapter/v1 of the ingestor: - { navn: …, namespace: … }
# One outside of Nav, with tokens of Maskinporten: - { navn: …, organisasjonsnummer: '…', leverandoerer: ['…'] }
# npx nx g organisasjon ${name} writes the access policy of the ingestor from it.
[]
`;

/** Nothing is said of any kind until the organisation says it. */
export const EMPTY_COVERAGE = `# Of which kinds of measure this organisation's source is the master, and since when; see nais/nav/dekning.yaml.
[]
`;

/** Nothing is analysed until somebody says what, and what for. */
export const EMPTY_PRODUCTS = `# The products for analysis, each of columns that are opted in one by one; see docs/analyse.md. There is none yet: one is
# added by a pull request that the team that owns the data approves.
[]
`;

const metadata = (name: string): string => `metadata:
  name: ${name}
  namespace: tiltak
  labels: { team: tiltak }`;

const app = (what: string, name: string): string => `apiVersion: nais.io/v1alpha1
kind: Application
${metadata(`tiltak-datadeling-${what}-${name}`)}
spec:
  image: '{{image}}'
  port: 8080
  # Alive is a process that answers, whatever it waits for; ready is one that can do what it is for.
  startup: { path: /internal/isalive, periodSeconds: 2, timeout: 2, failureThreshold: 30 }
  liveness: { path: /internal/isalive, periodSeconds: 10, timeout: 3, failureThreshold: 3 }
  readiness: { path: /internal/isready, periodSeconds: 5, timeout: 2, failureThreshold: 2 }
  prometheus: { enabled: true, path: /internal/prometheus }
  # Until nobody sends it anything new; then it has 28 s to answer what is under way, and to stop.
  preStopHook: { exec: { command: [sleep, '5'] } }
  terminationGracePeriodSeconds: 40`;

/** Of the database, to begin with. */
const DISK_GB = { dev: 10, prod: 50 };

const DOMAIN: Record<Env, string> = { dev: 'intern.dev.nav.no', prod: 'intern.nav.no' };
/** Whether an adapter may write to an organisation's topic: not to one that a source publishes to. */
export const adapterMayWrite = (name: string, topic: string): 'ja' | 'nei' => (topic === ownTopic(name) ? 'ja' : 'nei');

export const ingestor = (name: string, env: Env, topic: string): string => `${app('ingestor', name)}
  # At most as many as the topic has partitions are at work.
  replicas: { min: 2, max: 2 }
  resources:
    requests: { cpu: 200m, memory: 256Mi }
    limits: { memory: 512Mi }
  kafka: { pool: nav-${env} }
  # The page of those on duty: the login's cookie is for this path.${topic === ownTopic(name) ? ' And the API of the adapter, which brings a token.' : ''}
  ingresses:
    - ${consoleHost(name, env)}/drift
${adapterIngress(name, env, topic)}${topic === ownTopic(name) ? `  # An adapter outside of Nav: npx nx g organisasjon ${name} writes it, when it is in adapter-${env}.yaml.\n${CLOSED}` : ''}  accessPolicy:
    inbound:
      # The ingestors, for /internal/tilstand${topic === ownTopic(name) ? `, and the applications in adapter-${env}.yaml` : ''}: npx nx g organisasjon ${name} writes them.
      rules: []
    outbound:
      rules: []
  azure:
    application:
      enabled: true
      allowAllUsers: false
      # Who is on duty: the id of the group is given when this is deployed, as the image is.
      claims: { groups: [{ id: '{{driftsgruppe}}' }] }
    # Logs people in, and puts their token on what their browser asks for. What others call has a token already.
    sidecar:
      enabled: true
      autoLogin: true
      autoLoginIgnorePaths: ['/adapter/**', '/internal/tilstand', '/openapi.json', '/swagger/**']
  env:
    - { name: ORGANISASJON, value: ${name} }
    - { name: KAFKA_TOPIC, value: ${topic} }
    # Which idents are one person's, when a person register's topic is at hand (docs/operations.md, Idents).
    # - { name: IDENT_TOPIC, value: … }
    # Employers, when a topic of them is at hand (docs/operations.md, Virksomheter).
    # - { name: VIRKSOMHET_TOPIC, value: … }
    # What each change of an avtale is told of on; nothing is without it (docs/operations.md, Triggers).
    - { name: TRIGGER_TOPIC, value: ${triggerTopic(name)} }
    - { name: DRIFT_GRUPPER, value: '{{driftsgruppe}}' }
    # Those of the page of all organisations: npx nx g organisasjon ${name} writes them.
    - name: DRIFT_ORGANISASJONER
      value: ''
    - { name: AVSTEMMING_HVER_TIMER, value: '24' }
    # The disk of migrering-${env}.yaml; it grows by itself, so change this when that has happened.
    - { name: DB_PLASS_GB, value: '${String(DISK_GB[env])}' }
    # nei: the source publishes to the topic itself, and alone.
    - { name: ADAPTER_KAN_SKRIVE, value: ${adapterMayWrite(name, topic)} }
${topic === ownTopic(name) ? variablesComment(name) : ''}    # Postgres itself, when DB_HOST is a pooler (docs/operations.md, A pooler in front of it).
    # - { name: DB_DIREKTE_HOST, value: … }
  envFrom:
    # DELTAKER_ID_NOEKKEL: 64 hex digits, made once, the same in both apps, for ever.
    - { secret: tiltak-datadeling-${name}-noekkel }
    # DB_*: where the database of migrering-${env}.yaml is, and this app's own login, a member of datadeling_skriver.
    - { secret: tiltak-datadeling-${name}-ingestor-db }
`;

/** Only where an adapter may write is there one to let in. */
function adapterIngress(name: string, env: Env, topic: string): string {
  return topic === ownTopic(name) ? `    - ${consoleHost(name, env)}/adapter\n` : '';
}

export const consoleHost = (name: string, env: Env): string => `https://tiltak-datadeling-${name}.${DOMAIN[env]}`;

/** As applications name each other. */
export const ingestorApp = (name: string): InboundApp => ({ navn: `tiltak-datadeling-ingestor-${name}` });

/** The manifest of an ingestor whose page shows those organisations: each asked at its service, its page at its ingress. */
export function withOrganisasjoner(manifest: string, names: readonly string[], env: Env): string {
  const entries = names.map((name) => `${name}=http://${ingestorApp(name).navn}|${consoleHost(name, env)}`);
  return manifest.replace(/(name: DRIFT_ORGANISASJONER\n +value: )'.*'/, `$1'${entries.join(',')}'`);
}

const MAX_REPLICAS = { dev: 3, prod: 8 };

export const apiHost = (name: string, env: Env): string => `https://tiltak-datadeling-api-${name}.${DOMAIN[env]}`;

/** Lets nobody in yet: see `withRules` and `withOutside`. */
export const queryApi = (name: string, env: Env): string => `${app('query-api', name)}
  replicas: { min: 2, max: ${String(MAX_REPLICAS[env])}, scalingStrategy: { cpu: { thresholdPercentage: 60 } } }
  resources:
    requests: { cpu: 200m, memory: 256Mi }
    limits: { memory: 512Mi }
  # People read its pages, which need no token and hold no data: what it is, the catalogue, the form for access.
  ingresses:
    - ${apiHost(name, env)}
  azure: { application: { enabled: true } }
  # Other organisations: npx nx g organisasjon ${name} writes those of konsumenter-${env}.yaml.
${CLOSED}  accessPolicy:
    inbound:
      # One for each consumer in konsumenter-${env}.yaml: npx nx g organisasjon ${name} writes them.
      rules: []
  env:
    - { name: ORGANISASJON, value: ${name} }
    - { name: KONSUMENTER_FIL, value: /konfig/konsumenter.yaml }
    - { name: DEKNING_FIL, value: /konfig/dekning.yaml }
${variablesComment(name)}    # When DB_HOST is a pooler (docs/operations.md, A pooler in front of it).
    # - { name: DB_POOLER, value: transaksjon }
    # Read replicas: a list, or the name of a headless service (docs/operations.md, Read replicas).
    # - { name: DB_REPLIKA_HOST, value: … }
  filesFrom:
    - { configmap: tiltak-datadeling-${name}-konsumenter, mountPath: /konfig }
  envFrom:
    - { secret: tiltak-datadeling-${name}-noekkel }
    # MARKOER_NOEKKEL: 64 hex digits, what cursors are sealed with.
    - { secret: tiltak-datadeling-${name}-markoer }
    # DB_*: where the database of migrering-${env}.yaml is, and this app's own login, a member of datadeling_leser.
    - { secret: tiltak-datadeling-${name}-query-api-db }
`;

/** The page of auditors: the query-api's image, with a login of its own, which neither app may have. */
export const auditorPage = (name: string, env: Env): string => `${app('revisor', name)}
  command: [node, --enable-source-maps, --max-old-space-size=256, main.cjs, revisor]
  replicas: { min: 1, max: 1 }
  resources:
    requests: { cpu: 50m, memory: 128Mi }
    limits: { memory: 512Mi }
  # The login's cookie is for this path.
  ingresses: ['https://tiltak-datadeling-revisor-${name}.${DOMAIN[env]}/revisor']
  accessPolicy:
    inbound:
      # No application calls it.
      rules: []
    outbound:
      rules: []
  azure:
    application:
      enabled: true
      allowAllUsers: false
      # Who may read who has seen a person: the id of the group is given when this is deployed, as the image is.
      claims: { groups: [{ id: '{{revisorgruppe}}' }] }
    sidecar:
      enabled: true
      autoLogin: true
      autoLoginIgnorePaths: ['/openapi.json', '/swagger/**']
  env:
    - { name: ORGANISASJON, value: ${name} }
    - { name: KONSUMENTER_FIL, value: /konfig/konsumenter.yaml }
    - { name: ANALYSE_FIL, value: /konfig/analyse.yaml }
    - { name: REVISOR_GRUPPER, value: '{{revisorgruppe}}' }
    # When DB_HOST is a pooler (docs/operations.md, A pooler in front of it).
    # - { name: DB_POOLER, value: transaksjon }
    # Where the files of the audit are, when months have left the database; a volume is mounted there by hand.
    # - { name: OPPSLAGSARKIV_KATALOG, value: … }
  filesFrom:
    - { configmap: tiltak-datadeling-${name}-konsumenter, mountPath: /konfig }
  envFrom:
    - { secret: tiltak-datadeling-${name}-noekkel }
    # DB_*: where the database of migrering-${env}.yaml is, and this app's own login, a member of datadeling_revisor.
    - { secret: tiltak-datadeling-${name}-revisor-db }
`;

/** The manifest of an app that lets in those applications, or reaches them, and no others. */
export function withRules(manifest: string, direction: 'inbound' | 'outbound', apps: readonly InboundApp[]): string {
  const lines = apps.map(
    ({ navn: name, namespace }) =>
      `        - { application: ${name}${namespace ? `, namespace: ${namespace}` : ''} }\n`,
  );
  const rules = lines.length === 0 ? '      rules: []\n' : `      rules:\n${lines.join('')}`;
  const place = new RegExp(`^( {4}${direction}:\\n(?: {6}#.*\\n)*) {6}rules:.*\\n(?: {8}.*\\n)*`, 'm');
  return manifest.replace(place, `$1${rules}`);
}

const SIZE = {
  dev: `tier: db-custom-1-3840\n        diskSize: ${String(DISK_GB.dev)}`,
  prod: `tier: db-custom-2-7680\n        diskSize: ${String(DISK_GB.prod)}\n        highAvailability: true\n        pointInTimeRecovery: true`,
};

/** As libs/database/src/log-settings.ts, which its spec holds: the apps don't start on an instance without them. */
const FLAGS = {
  log_min_messages: 'log',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_parameter_max_length_on_error: '0',
  log_parameter_max_length: '0',
  log_statement: 'none',
  log_min_duration_statement: '-1',
  log_min_duration_sample: '-1',
  log_transaction_sample_rate: '0',
  debug_print_parse: 'off',
  debug_print_rewritten: 'off',
  debug_print_plan: 'off',
};

/** Of the instance: what a subscriber of a product for analysis needs, and how much of the log one that is gone may hold back. */
const REPLICATION_FLAGS = { 'cloudsql.logical_decoding': 'on', max_slot_wal_keep_size: '4096' };

/** The job that has the owner's login has the instance too. */
export const migration = (name: string, env: Env): string => `apiVersion: nais.io/v1
kind: Naisjob
${metadata(`tiltak-datadeling-migrering-${name}`)}
spec:
  # The ingestor's. Runs once for each version; the apps of the version wait until the schema is there.
  image: '{{image}}'
  command: [node, --enable-source-maps, main.cjs, migrer]
  backoffLimit: 3
  resources:
    requests: { cpu: 50m, memory: 128Mi }
    limits: { memory: 256Mi }
  gcp:
    sqlInstances:
      - name: tiltak-datadeling-${name}
        type: POSTGRES_17
        ${SIZE[env]}
        diskAutoresize: true
        cascadingDelete: false
        databases:
          # DB_* is the owner of the schema, and nobody else's login.
          - { name: tiltak_${name.replaceAll('-', '_')}, envVarPrefix: DB }
          # The platform makes one for each instance: that of docs/analyse.md is made by hand.
        # No value of a row, no parameter and no statement is written to Postgres' log.
        flags:
${Object.entries({ ...FLAGS, ...REPLICATION_FLAGS })
  .map(([flag, value]) => `          - { name: ${flag}, value: '${value}' }\n`)
  .join('')}  env:
    - { name: ORGANISASJON, value: ${name} }
    # Postgres itself, when DB_HOST is a pooler.
    # - { name: DB_DIREKTE_HOST, value: … }
`;

/** A product for analysis: files each night, and the table that is replicated. */
export const analysis = (name: string, env: Env, product: string): string => `apiVersion: nais.io/v1
kind: Naisjob
${metadata(`tiltak-datadeling-analyse-${name}-${product}`)}
spec:
  # The query-api's.
  image: '{{image}}'
  # Little garbage is kept: a quarter less memory, and nobody waits for it.
  command: [node, --enable-source-maps, --max-semi-space-size=8, --max-old-space-size=256, main.cjs, analyse, --produkt, ${product}, --serie, /analyse/${product}]
  # For the table of a subscriber, a job like this one with --til-database in place of --serie (docs/analyse.md).
  schedule: '30 3 * * *'
  concurrencyPolicy: Forbid
  backoffLimit: 2
  resources:
    requests: { cpu: 100m, memory: 256Mi }
    limits: { memory: 512Mi }
  env:
    - { name: ORGANISASJON, value: ${name} }
    - { name: ANALYSE_FIL, value: /konfig/analyse.yaml }
    - { name: ANALYSE_DB_DATABASE, value: tiltak_${name.replaceAll('-', '_')}_analyse }
  filesFrom:
    - { configmap: tiltak-datadeling-${name}-konsumenter, mountPath: /konfig }
    # Made by hand, with those who may read it.
    - { persistentVolumeClaim: tiltak-datadeling-${name}-analyse, mountPath: /analyse }
  envFrom:
    # ANALYSE_NOEKKEL: 64 hex digits, of this product alone.
    - { secret: tiltak-datadeling-${name}-analyse-${product}-noekkel }
    # DB_*: where the database of migrering-${env}.yaml is, and a login in datadeling_analyse.
    - { secret: tiltak-datadeling-${name}-analyse-db }
`;

/** The adapter API publishes to it, and the stream reads from it: both in the ingestor. */
export const topicManifest = (name: string, env: Env): string => `apiVersion: kafka.nais.io/v1
kind: Topic
${metadata(topicName(name))}
spec:
  pool: nav-${env}
  config:
    # It is read again from the start when the database is rebuilt.
    cleanupPolicy: compact
    partitions: 6
    replication: 3
    minimumInSyncReplicas: 2
  acl:
    - { team: tiltak, application: tiltak-datadeling-ingestor-${name}, access: readwrite }
`;

/** The ingestor tells of each change on it, and those read it who are let in here. */
export const triggerTopicManifest = (name: string, env: Env): string => `apiVersion: kafka.nais.io/v1
kind: Topic
${metadata(triggerTopicName(name))}
spec:
  pool: nav-${env}
  config:
    # It tells that something happened, and holds no state: the change feed reaches further back.
    cleanupPolicy: delete
    retentionHours: 168
    partitions: 6
    replication: 3
    minimumInSyncReplicas: 2
  acl:
    - { team: tiltak, application: tiltak-datadeling-ingestor-${name}, access: write }
    # Who listens: a consumer of konsumenter-${env}.yaml that hentEndringer is granted to for a purpose without utvalg:
    # here are changes of avtaler of all kinds.
    # - { team: …, application: …, access: read }
`;

/** For tools/local/organisasjoner. */
export const localEntry = (
  name: string,
  topic: string,
): string => `# ${name} on the local stack: npm start -- --organisasjoner ${name}
topic: ${topic}
konsumenter: tools/local/konsumenter.yaml
dekning: nais/${name}/dekning.yaml
adapter: ${adapterMayWrite(name, topic)}
`;
