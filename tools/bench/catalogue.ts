/** What each benchmark is, and what it should reach. How it is measured stands in benchmarks/, and what it reached in docs/benchmarks. */
export interface Benchmark {
  name: string;
  /** of `npm run bench -- `, where it is another than the name */
  arguments?: string;
  title: string;
  /** what is measured, in a sentence or two */
  measured: string;
  /** none: the benchmark has one, without a name */
  cases: Case[];
  /** in place of cases: one table, with a column for each size that was measured */
  bySize?: BySize;
  /** too long for `alt` */
  alone?: true;
}

export interface BySize {
  figures: Figure[];
  /** figures that are known by how their ids begin, in a table of their own */
  details: { prefix: string; title: string }[];
}

interface Case {
  name: string;
  figures: Figure[];
}

export interface Figure {
  /** in the results */
  id: string;
  label: string;
  unit: string;
  goal?: Goal;
  /** it holds on a disturbed machine too: CPU time and memory; rates, times and ratios don't */
  robust?: true;
  /** told as how many times that of the smallest size */
  ofFirst?: true;
}

export type Goal = { atLeast: number } | { atMost: number };

const atLeast = (number: number): { goal: Goal } => ({ goal: { atLeast: number } });
const atMost = (number: number): { goal: Goal } => ({ goal: { atMost: number } });

const figure = (id: string, label: string, unit: string, more: { goal?: Goal } = {}): Figure => ({
  id,
  label,
  unit,
  ...more,
});
const cpu = (process: string, per: string, more: { goal?: Goal } = {}): Figure => ({
  id: `cpu.${process}`,
  label: `CPU of ${NAMES[process] ?? process}`,
  unit: `µs/${per}`,
  robust: true,
  ...more,
});
const limitCpu = (process: string, per: string): Figure => ({
  id: `limit.cpu.${process}`,
  label: `the limit: CPU of ${process === 'limit' ? 'its process' : (NAMES[process] ?? process)}`,
  unit: `µs/${per}`,
  robust: true,
});
const memory = (id: string, label: string, more: { goal?: Goal } = {}): Figure => ({
  id,
  label,
  unit: 'MiB',
  robust: true,
  ...more,
});
const times = (prefix: string, label: string, more: { goal?: Goal } = {}): Figure[] => [
  figure(`${prefix}.p50`, `${label}, p50`, 'ms'),
  figure(`${prefix}.p90`, `${label}, p90`, 'ms'),
  figure(`${prefix}.p99`, `${label}, p99`, 'ms', more),
  figure(`${prefix}.max`, `${label}, longest`, 'ms'),
];

const NAMES: Record<string, string> = {
  ingestor: 'the ingestor',
  'query-api': 'the query-api',
  postgres: 'Postgres, all backends',
  kafka: 'Kafka',
  generator: 'the generator',
};

const ofLookups = (goals: Record<number, [queryApi: number, postgres: number]>, name: string): Case[] =>
  [32, 256].map((connections) => {
    const [queryApi, postgres] = goals[connections] ?? [];
    return {
      name: `${name}, ${String(connections)} connections`,
      figures: [
        figure('perSecond', 'look-ups', '/s'),
        figure('limit.perSecond', 'the limit', '/s'),
        figure('ratio', 'of the limit', '×', atLeast(2)),
        cpu('query-api', 'look-up', queryApi === undefined ? {} : atMost(queryApi)),
        cpu('postgres', 'look-up', postgres === undefined ? {} : atMost(postgres)),
        cpu('generator', 'look-up'),
        limitCpu('limit', 'look-up'),
        limitCpu('postgres', 'look-up'),
        figure('cpuRatio', 'the limit’s CPU time, of ours', '×'),
        ...times('even', 'at 70 % of top load', atMost(15)),
        figure('even.stallsPerMinute', 'stalls over 100 ms at 70 %', '/min', atMost(0)),
      ],
    };
  });

const QUERY: Benchmark[] = [
  {
    name: 'query',
    title: 'Look-ups of one person',
    measured:
      'One person in a call, with token check, grant, quota, validation and audit, on avtaler that the ingestor has stored with history, links and feed. The limit is bare Fastify and one prepared statement, planned as Postgres does by itself, with the same answers to the byte and none of that. First as many as there can be on so many connections, then evenly spaced at 70 % of that.',
    cases: [...ofLookups({ 256: [110, 20] }, 'tiltaksstatus'), ...ofLookups({ 256: [120, 25] }, 'sok')],
  },
  {
    name: 'query-bulk',
    arguments: 'query --bulk',
    title: 'Look-ups of 1,000 persons',
    measured: '`tiltaksstatus` of 1,000 persons in a call on 8 connections, against one in a call on 32.',
    cases: [
      {
        name: '',
        figures: [
          figure('personsPerSecond', 'persons, 1,000 in a call', '/s', atLeast(100_000)),
          figure('single.personsPerSecond', 'persons, one in a call', '/s'),
          figure('ratio', 'times as many', '×'),
          cpu('query-api', 'person'),
          cpu('postgres', 'person'),
        ],
      },
    ],
  },
];

const OF_INGEST = [
  figure('perSecond', 'messages', '/s', atLeast(20_000)),
  cpu('ingestor', 'message', atMost(46)),
  cpu('postgres', 'message', atMost(30)),
  cpu('kafka', 'message'),
  memory('memory', 'most memory of the ingestor', atMost(256)),
];

const INGEST: Benchmark[] = [
  {
    name: 'ingest',
    title: 'A backlog',
    measured:
      'Messages of the simulator (3.4 kB) that lie on 6 partitions, from the first that is stored until all are, with history, change feed, relations and positions. The limit is one process that COPYs the same rows into the same tables: each version and line of the feed once, and an avtale once for each transaction of a thousand messages that has a version of it.',
    cases: [
      {
        name: '',
        figures: [
          ...OF_INGEST,
          figure('limit.perSecond', 'the limit', '/s'),
          figure('ratio', 'of the limit', '×'),
          limitCpu('limit', 'message'),
          limitCpu('postgres', 'message'),
          { ...figure('cpuRatio', 'CPU of ingestor and Postgres, of the limit’s', '×', atMost(2)) },
        ],
      },
    ],
  },
  {
    name: 'ingest-oppdateringer',
    arguments: 'ingest --oppdateringer',
    title: 'A backlog of changes',
    measured: 'As many messages of the same avtaler again: seven in ten change them, the others are resent or older.',
    cases: [
      {
        name: '',
        figures: [
          figure('perSecond', 'messages', '/s'),
          figure('insert.perSecond', 'messages of new avtaler', '/s'),
          figure('ratio', 'of the rate of new avtaler', '×', atLeast(0.9)),
          cpu('ingestor', 'message'),
          cpu('postgres', 'message'),
        ],
      },
    ],
  },
  {
    name: 'ferskhet',
    title: 'Freshness',
    measured:
      '500 messages a second on 6 partitions: from when Kafka has acknowledged an avtale until it is answered, looked for every other millisecond.',
    cases: [{ name: '', figures: times('visible', 'until it is answered', atMost(60)) }],
  },
  {
    name: 'lesing',
    title: 'Look-ups while a backlog is read in',
    measured: '200 `tiltaksstatus` a second, evenly spaced: with nothing else to do, and while a backlog is read in.',
    cases: [
      {
        name: '',
        figures: [
          ...times('idle', 'idle'),
          ...times('busy', 'beside a backlog'),
          figure('ratio', 'p99, of idle', '×', atMost(3)),
          figure('failed', 'failed', '', atMost(0)),
          figure('busy.stallsPerMinute', 'stalls over 100 ms beside a backlog', '/min'),
        ],
      },
    ],
  },
];

const OTHERS: Benchmark[] = [
  {
    name: 'eksport',
    title: 'Export',
    measured:
      'All avtaler with links over HTTP, uncompressed, over and over for some seconds, against `COPY avtale_synlig TO STDOUT` that is not looked at. Then 200 `tiltaksstatus` a second, evenly spaced, alone and beside exports.',
    cases: [
      {
        name: '',
        figures: [
          figure('perSecond', 'avtaler', '/s'),
          figure('limit.perSecond', 'the limit', '/s'),
          figure('ratio', 'of the limit', '×', atLeast(0.8)),
          cpu('query-api', 'avtale'),
          cpu('postgres', 'avtale'),
          limitCpu('postgres', 'avtale'),
          memory('memory', 'most memory of the query-api', atMost(200)),
          figure('alone.p99', 'look-ups alone, p99', 'ms'),
          figure('beside.p99', 'look-ups beside it, p99', 'ms'),
          figure('beside.ratio', 'look-ups beside it, of alone', '×', atMost(2)),
        ],
      },
    ],
  },
  {
    name: 'synk',
    title: 'Full sync',
    measured:
      'A full sync over the adapter API, pages of 2,000, four at a time, 3 partitions: from the first page until all of it is stored and the sync completed.',
    cases: [
      {
        name: '',
        figures: [
          figure('perSecond', 'avtaler', '/s', atLeast(10_000)),
          cpu('ingestor', 'avtale'),
          cpu('postgres', 'avtale'),
          cpu('kafka', 'avtale'),
        ],
      },
    ],
  },
  {
    name: 'avstemming',
    title: 'Reconciliation',
    measured:
      'The source’s list over HTTP against a database of as many avtaler, with differences of each kind that must all be found, and nothing else: from the first line until the report is stored.',
    cases: [
      {
        name: '',
        figures: [
          figure('perSecond', 'lines', '/s', atLeast(144_000)),
          cpu('ingestor', 'line'),
          cpu('postgres', 'line'),
          memory('memory', 'most memory of the ingestor'),
        ],
      },
    ],
  },
  {
    name: 'folgere',
    title: 'Followers of the change feed',
    measured:
      '1,000 consumers, each with a connection of its own, wait at the end of the feed by long-poll while twice a second something changes: from when Kafka has acknowledged a change until each of them has it.',
    cases: [
      {
        name: '',
        figures: [
          ...times('arrival', 'until a follower has it', atMost(250)),
          { ...figure('cores.postgres', 'Postgres', 'cores', atMost(0.5)), robust: true },
          { ...figure('cores.query-api', 'the query-api', 'cores'), robust: true },
          { ...figure('cores.generator', 'the followers', 'cores'), robust: true },
        ],
      },
    ],
  },
  {
    name: 'start',
    title: 'Start',
    measured:
      'From the start of the process until it is ready: each app on a migrated database, and `npm start` with sample data, built before.',
    cases: [
      {
        name: '',
        figures: [
          figure('ingestor', 'the ingestor', 's', atMost(2)),
          figure('query-api', 'the query-api', 's', atMost(2)),
          figure('stack', 'the stack', 's', atMost(12)),
          { ...figure('cpu.ingestor', 'CPU of the ingestor', 's'), robust: true },
          { ...figure('cpu.query-api', 'CPU of the query-api', 's'), robust: true },
        ],
      },
    ],
  },
];

const besideFigures = (more: { goal?: Goal } = {}): Figure[] => [
  figure('alone.p50', 'alone, p50', 'ms'),
  figure('alone.p95', 'alone, p95', 'ms'),
  figure('beside.p50', 'beside it, p50', 'ms'),
  figure('beside.p95', 'beside it, p95', 'ms'),
  figure('beside.p99', 'beside it, p99', 'ms'),
  figure('beside.max', 'beside it, longest', 'ms'),
  figure('ratio', 'p95, of alone', '×', more),
  figure('times', 'times that it was done meanwhile', ''),
];

/** Of the smallest size that was measured: what must not become more, or less. */
const ofFirst = (id: string, label: string, goal: { goal: Goal }, robust?: true): Figure => ({
  ...figure(id, `${label}, of the smallest size`, '×', goal),
  ofFirst: true,
  ...(robust ? { robust } : {}),
});
const lookupGrowth = (name: string): Figure[] => [
  figure(`${name}.p50`, `\`${name}\`, p50`, 'ms'),
  figure(`${name}.p99`, `\`${name}\`, p99`, 'ms'),
  ofFirst(`${name}.p99`, `\`${name}\`, p99`, atMost(1.3)),
  ...['query-api', 'postgres'].map((process) => ({
    ...cpu(process, 'look-up'),
    id: `${name}.cpu.${process}`,
    label: `\`${name}\`, CPU of ${NAMES[process] ?? process}`,
  })),
];
const sure = (id: string, label: string, unit: string, more: { goal?: Goal } = {}): Figure => ({
  ...figure(id, label, unit, more),
  robust: true,
});

const GROWTH: Figure[] = [
  ...lookupGrowth('tiltaksstatus'),
  ...lookupGrowth('sok'),
  memory('memory.query-api', 'most memory of the query-api'),
  ofFirst('memory.query-api', 'memory of the query-api', atMost(1.1), true),
  figure('perSecond', 'a backlog of changes', '/s'),
  ofFirst('perSecond', 'a backlog of changes', atLeast(0.8)),
  sure('changed', 'messages that changed something', '%'),
  cpu('ingestor', 'message'),
  cpu('postgres', 'message'),
  memory('memory.ingestor', 'most memory of the ingestor'),
  ofFirst('memory.ingestor', 'memory of the ingestor', atMost(1.1), true),
  sure('versions', 'versions of an avtale', ''),
  sure('gigabytesPerMillion', 'disk of a million avtaler, all of it', 'GB', atMost(4)),
  figure('stretch.perSecond', 'changes at an even rate', '/s'),
  figure('stretch.behind', 'behind at the end of them', 's'),
  sure('stretch.updates', 'updates of `avtale` for each message of them', ''),
  sure('stretch.hot', 'HOT, of all updates of `avtale`', '%'),
  sure('stretch.dead', 'most dead rows of `avtale`, of the living', '%'),
  sure('stretch.deadAtEnd', 'dead rows of `avtale` at the end', '%'),
  sure('stretch.deadVersions', 'most dead rows of `avtale_versjon`', '%'),
  sure('stretch.vacuums', 'autovacuums of `avtale` meanwhile', ''),
  sure('stretch.grown', 'growth of `avtale` by them', '%'),
  figure('backup.seconds', 'a backup, until a server of its own is made of it', 's'),
  figure('backup.perGigabyte', 'the same', 's/GB'),
];

const ofSeen = (kind: string, label: string): Figure[] => [
  figure(`${kind}.p50`, `${label}, p50`, 'ms'),
  figure(`${kind}.max`, `${label}, longest`, 'ms', atMost(1_000)),
  sure(`${kind}.lines`, `${label}, look-ups told of`, ''),
  sure(`${kind}.cpu.query-api`, `${label}, CPU of the page`, 'ms'),
  sure(`${kind}.cpu.postgres`, `${label}, CPU of Postgres`, 'ms'),
];

const AUDIT: Benchmark = {
  name: 'revisjon',
  title: 'Who has seen this person',
  measured:
    'Years of look-ups in the audit (`--antall`; 100 million), made by SQL in months of 2.5 million with the indexes that the migration job gives months that are over: three in a hundred of 2 to 81 persons, one in a thousand a page of a subscription, one in a thousand of nobody (exports, pages of changes, statistics), over a change feed of a million lines. The month that is being written has as many as the others. Then the page of auditors is asked over HTTP about 25 ordinary persons and 25 that many look up, one after the other, and tells of all years, also of what names nobody and may have held the person.',
  cases: [
    {
      name: '',
      figures: [
        ...ofSeen('ordinary', 'an ordinary person'),
        ...ofSeen('frequent', 'one whom many look up'),
        sure('bytes.table', 'table of a look-up, of several persons too', 'bytes'),
        sure('bytes.indexes', 'indexes of a look-up', 'bytes'),
        sure('months', 'months', ''),
      ],
    },
  ],
  alone: true,
};

/** Of one run of the adapter: `cpu` per what is told. */
const ofRun = (name: string, label: string, per: string): Figure[] => [
  figure(`${name}.seconds`, label, 's'),
  ...['adapter', 'ingestor', 'postgres'].map((process) => ({
    id: `${name}.cpu.${process}`,
    label: `${label}: CPU of ${process === 'adapter' ? 'the adapter' : (NAMES[process] ?? process)}`,
    unit: `µs/${per}`,
    robust: true as const,
  })),
  memory(`${name}.memory.adapter`, `${label}: most memory of the adapter`, atMost(400)),
  memory(`${name}.memory.ingestor`, `${label}: most memory of the ingestor`, atMost(250)),
];

const VIRKSOMHETER: Benchmark = {
  name: 'virksomheter',
  title: 'The national register through its adapter',
  measured:
    'A made-up register of so many units (`--stoerrelser`), read by the reference adapter as a process of its own, from the files and the feeds, and pushed to the ingestor over REST until it is stored. Then the changes of a day, until they are stored and counted, or for ten seconds; then all of it once more; then a tenth is in no file any more, and each of these is asked for by itself: the full sync would delete more than 5 %, and waits until it is confirmed. After each, every unit that is stored, with its hovedenhet, is held against the register.',
  cases: [],
  bySize: {
    figures: [
      ...ofRun('read', 'reading all of it', 'unit').filter(({ id }) => !/(ingestor|postgres)$/.test(id)),
      ...ofRun('first', 'the first full sync', 'unit'),
      figure('first.perSecond', 'the first full sync', 'units/s'),
      ...ofRun('day', 'the changes of a day', 'change'),
      ...ofRun('again', 'reading and sending what is as it was', 'unit'),
      ...ofRun('gone', 'the same without a tenth, until it waits', 'unit'),
      ...ofRun('deleted', 'the deletions, once confirmed', 'deleted unit'),
    ],
    details: [],
  },
  alone: true,
};

const ALONE: Benchmark[] = [
  AUDIT,
  VIRKSOMHETER,
  {
    name: 'vekst',
    title: 'Growth',
    measured:
      'With more and more avtaler (`--stoerrelser`; 100,000, a million and ten), over ten years, with all their history, links, and the feed of ninety days. At most a million come through the ingestor (`--gjennom-ingestoren`); the others are made of these by SQL, under other ids, persons and employers, and those of a hundred persons are held against what the ingestor makes of the same messages. Their indexes are built when the table is full, so they are smaller than those that grew. Look-ups of one of 5,000 persons, evenly spaced, 200 a second; a backlog of changes, each to an avtale that chance chose; then 500 changes a second (`--strekk`), while Postgres vacuums by itself. A day of them is 43.2 million. Postgres has 6 GB of buffers and 16 GB of WAL between checkpoints, whatever the size, and does not compress WAL ([scaling](scaling.md#the-server)). What look-ups and changes touch is in memory before, as on a server that has run for a while.',
    cases: [],
    bySize: {
      figures: GROWTH,
      details: [
        { prefix: 'table.', title: 'Tables without their indexes, MB of a million avtaler' },
        { prefix: 'index.', title: 'Indexes, MB of a million avtaler' },
      ],
    },
    alone: true,
  },
  {
    name: 'time',
    title: 'An hour of look-ups',
    measured:
      '200 `tiltaksstatus` a second for an hour (`--minutter`), evenly spaced, sent again as a client does, through a deploy of both apps, a vacuum, a rebuild and a promoted standby.',
    cases: [
      {
        name: '',
        figures: [
          ...times('lookup', 'look-ups'),
          figure('slow', 'answers over 500 ms outside the promotion', '', atMost(0)),
          figure('slowAtPromotion', 'answers over 500 ms at the promotion', ''),
          figure('failed', 'failed after three more attempts', '', atMost(0)),
        ],
      },
    ],
    alone: true,
  },
];

/** By kind of process, for each look-up or message, or of each process in a second. */
const used = (id: string, label: string, unit: string): Figure => ({ id, label, unit, robust: true });
const ofProcesses: Figure[] = [
  used('lookup.query-api', 'a look-up at full load, the query-apis', 'µs'),
  used('lookup.postgres', 'a look-up at full load, Postgres', 'µs'),
  used('even.query-api', 'a look-up at 50 a second each, the query-apis', 'µs'),
  used('even.postgres', 'a look-up at 50 a second each, Postgres', 'µs'),
  used('message.ingestor', 'a message, the ingestors', 'µs'),
  used('message.postgres', 'a message, Postgres', 'µs'),
  used('message.kafka', 'a message, Kafka', 'µs'),
  used('idle.query-api', 'each query-api while nothing is asked', 'ms/s'),
  used('idle.postgres', 'Postgres then, for each query-api', 'ms/s'),
  used('following.query-api', 'each query-api while the feed is followed', 'ms/s'),
  used('following.postgres', 'Postgres then, for each query-api', 'ms/s'),
  used('idleIngestors.ingestor', 'each ingestor while nothing comes', 'ms/s'),
  used('idleIngestors.postgres', 'Postgres then, for each ingestor', 'ms/s'),
  used('connections.query-api', 'connections of each query-api to Postgres', ''),
  used('connections.ingestor', 'connections of each ingestor to Postgres', ''),
  memory('memory.query-api', 'most memory of a query-api'),
  memory('memory.ingestor', 'most memory of an ingestor'),
];
const ofOne: Figure[] = [
  // One at full load has a core to itself and many at once to share a statement; several on two cores do not.
  { ...figure('lookup', 'a look-up at full load, query-apis and Postgres', '×'), robust: true },
  { ...figure('even', 'a look-up at 50 a second each', '×', atMost(1.1)), robust: true },
  { ...figure('message', 'a message, ingestors and Postgres', '×', atMost(1.1)), robust: true },
];

const SCALING: Benchmark[] = [
  {
    name: 'skalering',
    title: 'One, two and four of each app',
    measured:
      'CPU time on the same stock, by kind of process. Each query-api has 32 connections, 50 look-ups a second or 5 followers of the feed, whether it is alone or one of four behind one address; a backlog on 12 partitions becomes visible to all ingestors at once. On one machine the rate says nothing; what a look-up and a message cost does, since nothing else grows with the number of processes. At full load a single query-api has a core to itself, and so many wait that they share statements; several on this machine wait for each other, and share less. So what is held against the goal is the look-up at 50 a second each.',
    cases: [
      ...['one', 'two', 'four'].map((name) => ({ name, figures: ofProcesses })),
      ...['two', 'four'].map((name) => ({ name: `${name}, of one`, figures: ofOne })),
    ],
  },
];

/** By the names of their cases: what goes on beside the stream. */
const BESIDE: Benchmark[] = [
  {
    name: 'gjenoppbygging',
    title: 'The stream beside all that goes on in the background',
    measured:
      '200 messages a second on 6 partitions, from when Kafka has acknowledged an avtale until it is answered: with nothing else to do, and while everything is rebuilt from the topic, or something else of that kind is done, over and over. The topic holds 30,000 messages before (or `--antall`).',
    cases: [
      {
        name: 'rebuild of everything',
        figures: [
          ...besideFigures(atMost(3)),
          figure('perSecond', 'messages that are rebuilt beside it', '/s'),
          figure('alone.perSecond', 'messages that are rebuilt with no other', '/s'),
        ],
      },
      { name: 'check of all relations', figures: besideFigures(atMost(3)) },
      { name: 'reconciliation with the topic', figures: besideFigures(atMost(3)) },
      { name: 'replay of all that is parked', figures: besideFigures(atMost(3)) },
      { name: 'replay of the person register', figures: besideFigures(atMost(3)) },
      { name: 'full sync over REST', figures: besideFigures() },
    ],
  },
];

export const BENCHMARKS: readonly Benchmark[] = [...QUERY, ...INGEST, ...OTHERS, ...BESIDE, ...SCALING, ...ALONE];
