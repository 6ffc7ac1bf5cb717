import { topicnavn } from './navn.ts';

export const MILJOER = ['dev', 'prod'] as const;
type Miljo = (typeof MILJOER)[number];

export interface Konsument {
  navn: string;
  /** of the consumer's team; the same as ours when absent */
  namespace?: string;
}

const HODE = `# The registry of consumers in {}; see apps/query-api/src/tilgang/konsumenter.schema.json and docs/konsumenter.md.
`;

/** Registries that nobody has been given access in. */
export const KONSUMENTER: Record<Miljo, string> = {
  dev: `${HODE.replace('{}', 'dev')}[]
`,
  prod: `${HODE.replace('{}', 'production')}# A consumer is added by a pull request that the team that owns the data approves. None has been given access yet.
[]
`,
};

const metadata = (navn: string): string => `metadata:
  name: ${navn}
  namespace: tiltak
  labels: { team: tiltak }`;

const app = (hva: string, navn: string): string => `apiVersion: nais.io/v1alpha1
kind: Application
${metadata(`tiltak-datadeling-${hva}-${navn}`)}
spec:
  image: '{{image}}'
  port: 8080
  liveness: { path: /internal/isalive, initialDelay: 5, periodSeconds: 10 }
  readiness: { path: /internal/isready, periodSeconds: 5 }
  prometheus: { enabled: true, path: /internal/prometheus }
  terminationGracePeriodSeconds: 30`;

export const ingestor = (navn: string, miljo: Miljo, topic: string): string => `${app('ingestor', navn)}
  # At most as many as the topic has partitions are at work.
  replicas: { min: 2, max: 2 }
  resources:
    requests: { cpu: 200m, memory: 256Mi }
    limits: { memory: 384Mi }
  kafka: { pool: nav-${miljo} }
  azure: { application: { enabled: true } }
  postgres: { clusterName: tiltak-datadeling-${navn} }
  env:
    - { name: ORGANISASJON, value: ${navn} }
    - { name: KAFKA_TOPIC, value: ${topic} }
  envFrom:
    # DELTAKER_ID_NOEKKEL: 64 hex digits, made once, the same in both apps, for ever.
    - { secret: tiltak-datadeling-${navn}-noekkel }
    # DB_*: this app's own login, a member of datadeling_skriver; DB_MIGRERING_*: the owner of the schema.
    - { secret: tiltak-datadeling-${navn}-ingestor-db }
`;

const FLEST = { dev: 3, prod: 8 };

/** Lets nobody in yet: see `medRegler`. */
export const queryApi = (navn: string, miljo: Miljo): string => `${app('query-api', navn)}
  replicas: { min: 2, max: ${String(FLEST[miljo])}, scalingStrategy: { cpu: { thresholdPercentage: 60 } } }
  resources:
    requests: { cpu: 200m, memory: 256Mi }
    limits: { memory: 512Mi }
  azure: { application: { enabled: true } }
  accessPolicy:
    inbound:
      # One for each consumer in konsumenter-${miljo}.yaml: npx nx g organisasjon ${navn} writes them.
      rules: []
  postgres: { clusterName: tiltak-datadeling-${navn} }
  env:
    - { name: ORGANISASJON, value: ${navn} }
    - { name: KONSUMENTER_FIL, value: /konfig/konsumenter.yaml }
  filesFrom:
    - { configmap: tiltak-datadeling-${navn}-konsumenter, mountPath: /konfig }
  envFrom:
    - { secret: tiltak-datadeling-${navn}-noekkel }
    # DB_*: this app's own login, a member of datadeling_leser.
    - { secret: tiltak-datadeling-${navn}-query-api-db }
`;

/** The manifest of a query-api that lets in those consumers, and no others. */
export function medRegler(manifest: string, konsumenter: readonly Konsument[]): string {
  const linjer = konsumenter.map(
    ({ navn, namespace }) => `        - { application: ${navn}${namespace ? `, namespace: ${namespace}` : ''} }\n`,
  );
  const regler = linjer.length === 0 ? '      rules: []\n' : `      rules:\n${linjer.join('')}`;
  return manifest.replace(/^ {6}rules:.*\n(?: {8}.*\n)*/m, regler);
}

const STOERRELSE = {
  dev: 'resources: { cpu: 200m, memory: 1Gi, diskSize: 10Gi }',
  prod: 'highAvailability: true\n    resources: { cpu: 500m, memory: 4Gi, diskSize: 50Gi }',
};

export const databasen = (navn: string, miljo: Miljo): string => `apiVersion: data.nais.io/v1
kind: Postgres
${metadata(`tiltak-datadeling-${navn}`)}
spec:
  cluster:
    majorVersion: '17'
    ${STOERRELSE[miljo]}
`;

/** The adapter API publishes to it, and the stream reads from it: both in the ingestor. */
export const topicen = (navn: string, miljo: Miljo): string => `apiVersion: kafka.nais.io/v1
kind: Topic
${metadata(topicnavn(navn))}
spec:
  pool: nav-${miljo}
  config:
    # It is read again from the start when the database is rebuilt.
    cleanupPolicy: compact
    partitions: 6
    replication: 3
    minimumInSyncReplicas: 2
  acl:
    - { team: tiltak, application: tiltak-datadeling-ingestor-${navn}, access: readwrite }
`;

/** For tools/lokal. */
export const lokalt = (
  navn: string,
  topic: string,
): string => `# ${navn} on the local stack: npm start -- --organisasjoner ${navn}
topic: ${topic}
konsumenter: tools/lokal/konsumenter.yaml
`;
