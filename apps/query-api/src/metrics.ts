import { Counter, Gauge } from 'prom-client';

/** Registered with prom-client's global registry, which `/internal/prometheus` shows. */
export const metrics = {
  lookups: new Counter({
    name: 'query_oppslag_total',
    help: 'Look-ups that the registry of consumers granted',
    labelNames: ['konsument', 'operasjon'] as const,
  }),
  overQuota: new Counter({
    name: 'query_over_kvote_total',
    help: 'Requests refused because the quota, or what the consumer may have under way, was used up',
    labelNames: ['konsument'] as const,
  }),
  registryGeneration: new Gauge({
    name: 'query_konsumenter',
    help: 'Consumers in the registry in use, by the fingerprint of its file',
    labelNames: ['generasjon'] as const,
  }),
  registryInvalid: new Gauge({
    name: 'query_konsumenter_ugyldig',
    help: '1 while the file of the registry can not be used, and an older one is in use',
  }),
  denialsLost: new Counter({
    name: 'query_avslag_ikke_revidert_total',
    help: 'Refusals that the audit has no row of, since too many waited or the database refused them',
  }),
  denialsWaiting: new Gauge({
    name: 'query_avslag_venter',
    help: 'Refusals that wait to be written to the audit',
  }),
  replicaInUse: new Gauge({
    name: 'query_replika_i_bruk',
    help: '1 while look-ups are read from the replica, 0 while it is out of the set',
    labelNames: ['replika'] as const,
  }),
  replicaLag: new Gauge({
    name: 'query_replika_etterslep_sekunder',
    help: 'How far the data of the replica is behind that of the primary, when it last answered',
    labelNames: ['replika'] as const,
  }),
  databaseErrors: new Counter({
    name: 'query_databasefeil_total',
    help: 'Statements that the database could not answer',
  }),
  dataAge: new Gauge({
    name: 'query_data_alder_sekunder',
    help: 'Age of the oldest partition of the avtaler served; before the first load is done, of the process',
  }),
  resourceAge: new Gauge({
    name: 'query_ressurs_alder_sekunder',
    help: 'The same, of each other resource that has a topic',
    labelNames: ['ressurs'] as const,
  }),
};
