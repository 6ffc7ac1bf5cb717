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
    help: 'Attempts at batches that wait because the database refuses too much of them, or has answered one SQLSTATE that does not pass time after time',
    labelNames: ['sqlstate'] as const,
  }),
  relationDeviations: new Counter({
    name: 'ingestor_relasjonsavvik_total',
    help: 'Stored relations that were not right when they were checked after a change of version, and were put right',
    labelNames: ['avvik'] as const,
  }),
  unknownValue: new Counter({
    name: 'ingestor_ukjent_verdi_total',
    help: 'Stored versions with a value of a coded field that this release does not know',
    labelNames: ['felt'] as const,
  }),
  groups: new Counter({
    name: 'ingestor_grupper_total',
    help: 'Groups of batches, by whether they were stored in one transaction, or each batch in its own',
    labelNames: ['maate'] as const,
  }),
  batchSeconds: new Histogram({
    name: 'ingestor_batch_sekunder',
    help: 'Time to store a group of batches, or one of them by itself, committed',
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
    labelNames: ['type', 'ressurs'] as const,
  }),
  syncs: new Gauge({
    name: 'ingestor_synker',
    help: 'Syncs of the adapter that began in the last 7 days, by state',
    labelNames: ['ressurs', 'tilstand'] as const,
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
    labelNames: ['ressurs'] as const,
  }),
  lag: new Gauge({
    name: 'ingestor_etterslep_meldinger',
    help: 'Offsets between what is stored and the end of the partition',
    labelNames: ['partisjon'] as const,
  }),
  freshnessTakenBack: new Counter({
    name: 'ingestor_ferskhet_tilbake_total',
    help: "Times that the database's clock went back, and the moment that data is fresh up to with it",
  }),
  unreadable: new Gauge({
    name: 'ingestor_uleselig_meldinger',
    help: 'Offsets at the end of the partition that nobody may read, since a transaction in front of them is open',
    labelNames: ['partisjon'] as const,
  }),
  openTransaction: new Gauge({
    name: 'ingestor_aapen_transaksjon_sekunder',
    help: 'How long the same open transaction of a producer has kept what is behind it from being read; 0: there is none',
    labelNames: ['partisjon'] as const,
  }),
  identLag: new Gauge({
    name: 'ingestor_etterslep_identer',
    help: "Offsets between what is stored of the person register's topic and the end of the partition, when it was last read",
    labelNames: ['partisjon'] as const,
  }),
  resourceLag: new Gauge({
    name: 'ingestor_etterslep_ressurs',
    help: 'Offsets between what is stored of the topic of a resource that is not avtaler and the end of the partition',
    labelNames: ['ressurs', 'partisjon'] as const,
  }),
  resourceMessages: new Counter({
    name: 'ingestor_ressurs_meldinger_total',
    help: 'Messages of a resource that is not avtaler by what became of them: TATT_INN, UENDRET, FORELDET, SLETTET, PARKERT',
    labelNames: ['ressurs', 'utfall'] as const,
  }),
  missingVirksomheter: new Gauge({
    name: 'ingestor_manglende_virksomheter',
    help: 'Virksomheter that avtaler or virksomheter name, and that are not here',
  }),
  oldestMissingVirksomhet: new Gauge({
    name: 'ingestor_manglende_virksomhet_eldste_alder_sekunder',
    help: 'For how long the virksomhet has been missing that was first found so; 0: none is',
  }),
  withoutHovedenhet: new Gauge({
    name: 'ingestor_virksomheter_i_sirkel',
    help: 'Virksomheter whose chain upwards leads into a cycle, or is longer than 20: they have no hovedenhet',
  }),
  untoldHovedenheter: new Gauge({
    name: 'ingestor_hovedenheter_ikke_varslet',
    help: 'Virksomheter with another hovedenhet, whose avtaler the change feed has not told of yet',
  }),
  gaps: new Gauge({
    name: 'ingestor_hull',
    help: 'Times that the topic had removed messages before they were read, and that no reconciliation has made up for',
    labelNames: ['topic', 'partisjon'] as const,
  }),
  rebuildAwaits: new Gauge({
    name: 'ingestor_gjenoppbygging_venter',
    help: 'Whether a rebuild would remove so many that it waits for somebody to confirm it: 1, else 0',
    labelNames: ['ressurs'] as const,
  }),
  topicMadeAnewAt: new Gauge({
    name: 'ingestor_topic_laget_paa_nytt_sekunder',
    help: 'When the topic was first seen that has the name now, seconds since 1970; 0: it has never been another',
    labelNames: ['topic'] as const,
  }),
  assigned: new Gauge({
    name: 'ingestor_tildelte_partisjoner',
    help: 'Partitions that the consumer group has given this process',
    labelNames: ['topic'] as const,
  }),
  lastFetch: new Gauge({
    name: 'ingestor_sist_hentet_tidspunkt_sekunder',
    help: 'When the consumer last heard from Kafka as a member of its group, or began to ask, seconds since 1970',
    labelNames: ['topic'] as const,
  }),
  groupMembers: new Gauge({
    name: 'ingestor_gruppemedlemmer',
    help: "Members of the stream's consumer group: EGNE are ingestors of the organisation, FREMMEDE anything else",
    labelNames: ['slag'] as const,
  }),
  stuck: new Gauge({
    name: 'ingestor_partisjon_stanset_sekunder',
    help: 'For how long a partition has not got on, for what comes next of it: IKKE_LAGRET is tried again, UDEKODBAR waits for somebody; 0: it gets on',
    labelNames: ['topic', 'partisjon', 'aarsak'] as const,
  }),
  triggers: new Counter({
    name: 'ingestor_trigger_hendelser_total',
    help: 'Lines of the change feed that this process has told of on the trigger topic',
    labelNames: ['type'] as const,
  }),
  triggerAge: new Gauge({
    name: 'ingestor_trigger_alder_sekunder',
    help: 'Age of the first line of the change feed that the trigger topic has not been told of; 0: there is none, or no such topic',
  }),
  triggerGap: new Gauge({
    name: 'ingestor_trigger_hull_tidspunkt_sekunder',
    help: 'When the change feed was last found to have been trimmed beyond what the trigger topic has been told of, seconds since 1970; 0: never',
  }),
  partitionsEndIn: new Gauge({
    name: 'ingestor_partisjoner_dekker_sekunder',
    help: 'For how long from now each partitioned table has partitions, without a gap',
    labelNames: ['tabell'] as const,
  }),
  rowsAstray: new Gauge({
    name: 'ingestor_partisjon_rest_rader',
    help: 'Rows that fit no partition, and lie in the default one: none in ordinary operation',
    labelNames: ['tabell'] as const,
  }),
  partitionOverdue: new Gauge({
    name: 'ingestor_partisjon_forfalt_sekunder',
    help: 'For how long the oldest partition that is old enough to go has been so; 0: there is none',
    labelNames: ['tabell'] as const,
  }),
  avstemmingDifferences: new Gauge({
    name: 'ingestor_avstemming_differanser',
    help: 'Differences that the last reconciliation found and that are not healed, by type; not those too fresh to count',
    labelNames: ['type'] as const,
  }),
  databaseBytes: new Gauge({
    name: 'ingestor_database_bytes',
    help: 'Size of the database, with its indexes',
  }),
  databaseCapacity: new Gauge({
    name: 'ingestor_database_plass_bytes',
    help: 'Size of its disk, by DB_PLASS_GB; 0: not known',
  }),
  transactionAge: new Gauge({
    name: 'ingestor_database_transaksjonsalder',
    help: 'Transactions since the oldest that no vacuum has frozen (FROSSET), and since the oldest that is open, of those that the login may see (AAPEN)',
    labelNames: ['slag'] as const,
  }),
  slotBytes: new Gauge({
    name: 'ingestor_replikeringsspor_bytes',
    help: 'Write-ahead log that a replication slot of the instance holds back, until who follows it has read it',
    labelNames: ['spor'] as const,
  }),
  slotLost: new Gauge({
    name: 'ingestor_replikeringsspor_tapt',
    help: '1: the slot was further behind than the instance lets it be, and is lost; who follows it begins again',
    labelNames: ['spor'] as const,
  }),
  tableBytes: new Gauge({
    name: 'ingestor_tabell_bytes',
    help: 'Size of a table with its partitions: TABELL, INDEKSER, TOAST',
    labelNames: ['tabell', 'slag'] as const,
  }),
  tableRows: new Gauge({
    name: 'ingestor_tabell_rader',
    help: 'Rows of a table with its partitions, as the database estimates them: LEVENDE, DOEDE',
    labelNames: ['tabell', 'slag'] as const,
  }),
  tableUpdates: new Gauge({
    name: 'ingestor_tabell_oppdateringer',
    help: "Updates of a table since the database's statistics began: ALLE, and those that needed no entry in an index (HOT)",
    labelNames: ['tabell', 'slag'] as const,
  }),
  indexBytes: new Gauge({
    name: 'ingestor_indeks_bytes',
    help: 'Size of an index with those of its partitions',
    labelNames: ['tabell', 'indeks'] as const,
  }),
  avstemmingEndedAt: new Gauge({
    name: 'ingestor_avstemt_tidspunkt_sekunder',
    help: 'When the last reconciliation ended, seconds since 1970; 0: never',
  }),
};
