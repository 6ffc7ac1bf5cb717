/** One thing that may go wrong, and the test that tries it. A new one is one entry here; its test says the rest. */
export interface Fault {
  /** what goes wrong */
  fault: string;
  /** what the test does */
  done: string;
  /** what must hold while it lasts, and after */
  holds: string;
  /** from the root of the project */
  file: string;
  /** as it stands in the file: the test's name, or a row of its table */
  test: string;
}

/** As the simulator computes them from the source contract, or as they are when nothing happens meanwhile. */
const COMPARED = 'tables as of an undisturbed run';
const KILLED = 'tools/e2e/killed.fault.spec.ts';
const STREAM = 'tools/e2e/faults.spec.ts';
const PROMOTED = 'tools/e2e/promoted.fault.spec.ts';
const WRITER = 'apps/ingestor/src/ingest/writer.spec.ts';
const SYNC = 'tools/e2e/sync.fault.spec.ts';

export const FAULTS: readonly Fault[] = [
  {
    fault: 'an ingestor is killed',
    done: 'SIGKILL three times during a backlog',
    holds: `nothing lost, nothing twice: ${COMPARED}`,
    file: KILLED,
    test: 'the ingestor is killed again and again during a backlog',
  },
  {
    fault: 'the database is killed',
    done: 'SIGKILL during a backlog, back after 5 s',
    holds: `503 with Retry-After meanwhile, alive; then ${COMPARED}, nothing parked`,
    file: KILLED,
    test: 'Postgres is killed during a backlog and comes back after five seconds',
  },
  {
    fault: 'the broker is killed',
    done: 'SIGKILL during a backlog, back after 3 s',
    holds: `alive meanwhile; then ${COMPARED}, and what is published later comes too`,
    file: KILLED,
    test: 'Kafka is killed during a backlog and comes back',
  },
  {
    fault: 'partitions change hands',
    done: 'a second ingestor joins during a backlog, and leaves',
    holds: COMPARED,
    file: KILLED,
    test: 'a second ingestor joins during a backlog, and leaves again',
  },
  {
    fault: 'both believe that they own a partition',
    done: 'two ingestors store the same messages at once',
    holds: 'each message stored once',
    file: WRITER,
    test: 'two ingestors that both believe they own the partition store each message once',
  },
  {
    fault: 'a standby is promoted',
    done: 'the primary is killed under ingest, look-ups and a copy; its standby takes over at the same address',
    holds: 'no avtale wrong, no answer older than its Data-Oppdatert, the copy skips nothing',
    file: PROMOTED,
    test: 'a standby is promoted under load: no avtale is wrong, and a copy skips nothing',
  },
  {
    fault: 'connections go silent at a failover',
    done: 'the same, with neither end nor reset on the connections of before',
    holds: 'ingest, Data-Oppdatert and look-ups each back within 15 s',
    file: PROMOTED,
    test: 'at a failover connections go silent, with no reset: ingest, Data-Oppdatert and look-ups come back by themselves',
  },
  {
    fault: 'processes join and leave, and a standby takes over',
    done: 'one query-api and one ingestor more, a promotion, one of each fewer',
    holds: 'the addresses stay, and somebody answers at them',
    file: 'tools/local/control.fault.spec.ts',
    test: 'processes join and leave while the stack runs, and its standby is promoted, at addresses that stay',
  },
  {
    fault: 'a standby is promoted, again and again',
    done: 'twice, with a new standby each time, and a replica that follows',
    holds: 'nothing that had come to the standby is lost; the next start begins with the last data',
    file: 'libs/testing/src/stack/postgres-group.fault.spec.ts',
    test: 'behind one address a standby takes over, again and again, and the data of the last one is what the next run begins with',
  },
  {
    fault: 'apps are killed while a consumer keeps a copy',
    done: 'SIGKILL of ingestor and query-api between pages of the feed',
    holds: 'the copy is what is served',
    file: 'tools/e2e/replica.fault.spec.ts',
    test: 'a copy made from the export and the feed is what the API says, whoever is killed meanwhile',
  },
  {
    fault: 'messages that can not be used, and many tombstones',
    done: 'poison of each kind between good messages, 20 tombstones before one',
    holds: `parked with a reason, no delay: ${COMPARED}`,
    file: STREAM,
    test: 'poison of each kind lies between good messages, and twenty tombstones before one',
  },
  {
    fault: 'the whole topic comes again',
    done: 'read from its start once more',
    holds: 'every table the same to the byte',
    file: STREAM,
    test: 'the whole topic is played twice: the tables are the same to the byte',
  },
  {
    fault: 'duplicates, other batches',
    done: 'the same messages in any division into batches, again',
    holds: 'equal tables',
    file: WRITER,
    test: 'give equal tables whatever the batches, and when all is played again',
  },
  {
    fault: 'older after newer',
    done: 'an older message at a later place',
    holds: 'the newer stays',
    file: 'libs/avtale/src/ordering.spec.ts',
    test: 'never older, whatever its offset',
  },
  {
    fault: 'an older message after a deletion',
    done: 'it comes late',
    holds: 'what was deleted stays deleted',
    file: 'libs/avtale/src/ordering.spec.ts',
    test: 'an older late message does not revive what was deleted',
  },
  {
    fault: 'the database refuses a row',
    done: 'one among others in a batch',
    holds: 'that one is parked, the others are stored',
    file: WRITER,
    test: 'with rows that the database refuses parks exactly those',
  },
  {
    fault: 'the database refuses too much',
    done: 'most of a batch is refused',
    holds: 'nothing stored, nothing parked: it is ours, and it waits',
    file: WRITER,
    test: 'of which the database refuses too much waits, with nothing stored and nothing parked',
  },
  {
    fault: 'an older epoch of the database',
    done: 'a reader of the feed comes with a position from before a restore',
    holds: '410, with where to start again',
    file: 'apps/query-api/src/changes/changes.spec.ts',
    test: 'from another epoch is gone, and the answer tells where to start again',
  },
  {
    fault: 'the audit can not be written',
    done: 'its table is locked',
    holds: '503: no data without audit',
    file: 'apps/query-api/src/lookups/audit-log.spec.ts',
    test: 'no data without audit: while the log is locked the answer is 503, and nothing but that',
  },
  {
    fault: 'the key server is away',
    done: 'after its keys were read once',
    holds: 'tokens of known keys are accepted',
    file: 'libs/platform/src/auth.spec.ts',
    test: 'known keys go on when the key server goes away',
  },
  {
    fault: 'keys are rotated',
    done: 'a token of a new key',
    holds: 'accepted',
    file: 'apps/query-api/src/access/access.guard.spec.ts',
    test: 'signed with a new key of the issuer: accepted',
  },
  {
    fault: 'a reader of the export takes nothing',
    done: 'it hangs, or hangs up',
    holds: 'its connection is given back',
    file: 'apps/query-api/src/export/export.spec.ts',
    test: 'a reader that hangs up, or takes nothing, gives its connection back',
  },
  {
    fault: 'idle connections',
    done: '2,000 of them',
    holds: 'others are served',
    file: 'apps/query-api/src/resilience.spec.ts',
    test: 'two thousand idle connections do not keep others from being served',
  },
  {
    fault: 'look-ups hang',
    done: 'those of one consumer',
    holds: 'the others have their connections',
    file: 'apps/query-api/src/access/fair-shares.spec.ts',
    test: 'look-ups of one consumer that hang leave the others connections, and are limited',
  },
  {
    fault: "the broker is killed during an adapter's page",
    done: 'SIGKILL, and the page is sent again',
    holds: 'it takes effect once',
    file: SYNC,
    test: 'Kafka is killed midway through a page: nothing of it counts, and sent again it takes effect once',
  },
  {
    fault: "the database is away during an adapter's page",
    done: 'SIGKILL, and the page is sent again',
    holds: '503 meanwhile; it takes effect once',
    file: SYNC,
    test: 'Postgres is away during a page: 503, and sent again it takes effect once',
  },
  {
    fault: 'an ingestor is killed while a full sync deletes',
    done: 'SIGKILL of one of two',
    holds: 'the other deletes exactly the rest',
    file: SYNC,
    test: 'an ingestor is killed while a full sync deletes: the other one goes on, and deletes exactly the rest',
  },
  {
    fault: 'more bodies at once than there is memory for',
    done: 'the largest pages, side by side',
    holds: 'all are taken, some at a later attempt',
    file: SYNC,
    test: 'pages as large as they may be, more at once than there is memory for: all are taken, some at a later attempt',
  },
  {
    fault: 'the database of another organisation is killed',
    done: 'SIGKILL, with 10,000 messages that can not be used',
    holds: 'nothing is noticed here',
    file: 'tools/e2e/isolation.spec.ts',
    test: 'what befalls one organisation is not noticed by the other',
  },
  {
    fault: 'no schema yet, and the database ends meanwhile',
    done: 'an app is started before the migration job',
    holds: 'alive and not ready, says why, and goes on by itself',
    file: 'tools/e2e/startup.spec.ts',
    test: 'before the schema is at its version, and before an ingestor has set the database up, an app is alive and not ready, also when Postgres ends meanwhile',
  },
];
