import { Counter, Gauge, Histogram } from 'prom-client';

/** Registered with prom-client's global registry, which `/internal/prometheus` shows. No label holds a value from a message. */
export const metrics = {
  messages: new Counter({
    name: 'ingestor_meldinger_total',
    help: 'Messages by what became of them: TATT_INN, UENDRET, FORELDET, SLETTET, PARKERT, BEHANDLET_FOER',
    labelNames: ['utfall'] as const,
  }),
  parked: new Counter({
    name: 'ingestor_parkert_total',
    help: 'Parked messages by reason and field',
    labelNames: ['kode', 'felt'] as const,
  }),
  oldestParked: new Gauge({
    name: 'ingestor_parkert_eldste_alder_sekunder',
    help: 'Since the oldest of the parked messages that nobody has resolved was parked; 0: there is none',
  }),
  parkedLeftOut: new Gauge({
    name: 'ingestor_parkert_uten_innhold',
    help: 'Parked messages that nobody has resolved, and whose bytes are on the topic only: too many have the same reason',
  }),
  systematicallyRefused: new Counter({
    name: 'ingestor_systematisk_avvist_total',
    help: 'Attempts at batches that wait because the database refuses too much of them, or has answered one SQLSTATE time after time',
    labelNames: ['sqlstate'] as const,
  }),
  batchRetries: new Counter({
    name: 'ingestor_batch_proevd_igjen_total',
    help: 'Batches that could not be stored, each time one is tried; strom: avtaler or identer',
    labelNames: ['strom', 'partisjon'] as const,
  }),
  unknownValue: new Counter({
    name: 'ingestor_ukjent_verdi_total',
    help: 'Stored versions with a value of a coded field that this release does not know',
    labelNames: ['felt'] as const,
  }),
  batchSeconds: new Histogram({
    name: 'ingestor_batch_sekunder',
    help: 'Time to store a batch, committed',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  }),
  batchMessages: new Histogram({
    name: 'ingestor_batch_meldinger',
    help: 'Messages in a batch',
    buckets: [1, 10, 50, 100, 250, 500, 1000, 2500],
  }),
  syncPages: new Counter({
    name: 'ingestor_synksider_total',
    help: 'Pages received from adapters',
    labelNames: ['type'] as const,
  }),
  syncs: new Gauge({
    name: 'ingestor_synker',
    help: 'Syncs of the adapter that began in the last 7 days, by state',
    labelNames: ['tilstand'] as const,
  }),
  adapterHeartbeat: new Gauge({
    name: 'ingestor_adapter_hjerteslag_alder_sekunder',
    help: 'Since the last heartbeat of the adapter, or since its contract',
  }),
  adapterIntervals: new Gauge({
    name: 'ingestor_adapter_hjerteslag_intervaller',
    help: "The age of the last heartbeat in intervals of the adapter's contract; 0 without a contract",
  }),
  fullSyncOverdue: new Gauge({
    name: 'ingestor_full_synk_forfalt',
    help: "1 when a full sync should have been completed by now, by the adapter's contract",
  }),
  lag: new Gauge({
    name: 'ingestor_etterslep_meldinger',
    help: 'Offsets between what is stored and the end of the partition',
    labelNames: ['partisjon'] as const,
  }),
  identLag: new Gauge({
    name: 'ingestor_etterslep_identer',
    help: "Offsets between what is stored of the person register's topic and the end of the partition, when it was last read",
    labelNames: ['partisjon'] as const,
  }),
  avstemmingDifferences: new Gauge({
    name: 'ingestor_avstemming_differanser',
    help: 'Differences that the last reconciliation found and that are not healed, by type; not those too fresh to count',
    labelNames: ['type'] as const,
  }),
  avstemmingEndedAt: new Gauge({
    name: 'ingestor_avstemt_tidspunkt_sekunder',
    help: 'When the last reconciliation ended, seconds since 1970; 0: never',
  }),
};
