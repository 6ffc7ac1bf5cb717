import { parseArgs } from 'node:util';
import { startTableSourceApi, TableSource } from '@tiltak/simulator';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import pg from 'pg';
import { running } from './ready-file.ts';

const DATABASE = 'kilde';
const USAGE = 'Usage: npm run kilde -- [--organisasjon NAVN] [--antall N] [--port 8095]';

/** `npm run kilde`: a source with a table of its own, beside the running local stack, whose topic it publishes to. */
async function run(): Promise<void> {
  const { values } = readArguments();
  const { ready, navn: name, organisasjon } = running(values.organisasjon);
  const url = await createDatabase(organisasjon.postgres);
  const kafka = new Kafka({ brokers: ready.kafka.split(','), logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const source = await TableSource.open(url, (messages) =>
    producer.send({ topic: organisasjon.topic, acks: -1, messages: [...messages] }),
  );
  const [{ count } = { count: 0 }] = await source.sql<{ count: number }>('select count(*)::int as count from avtale');
  if (count === 0) await source.register(Number(values.antall));
  const api = await startTableSourceApi(source, Number(values.port));
  console.log(`The source of ${name}: ${api.url}, with ${String(count || Number(values.antall))} avtaler in its table.
  its list, for reconciliation:   curl -s ${api.url}/liste > liste.ndjson && npm run avstem -- --fil liste.ndjson
  its table, where nobody is told: psql '${url}'
  who has called it:               curl -s ${api.url}/kall
Ctrl-C stops it; its table stays for as long as the stack's data does.`);
  await new Promise<void>((stopped) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopped());
  });
  await api.stop();
  await Promise.all([producer.disconnect(), source.close()]);
}

function readArguments(): ReturnType<typeof parse> {
  try {
    const parsed = parse();
    for (const [name, least, most] of [
      ['antall', 1, 100_000],
      ['port', 0, 65_535],
    ] as const) {
      const number = Number(parsed.values[name]);
      if (!Number.isInteger(number) || number < least || number > most)
        throw new Error(`--${name} must be ${String(least)} to ${String(most)}`);
    }
    return parsed;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}. ${USAGE}`);
  }
}

const parse = () =>
  parseArgs({
    options: {
      organisasjon: { type: 'string' },
      antall: { type: 'string', default: '1000' },
      port: { type: 'string', default: '8095' },
    },
  });

/** On the organisation's server, and apart from its database: the source is another system. */
async function createDatabase(superUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: superUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
  return Object.assign(new URL(superUrl), { pathname: `/${DATABASE}` }).href;
}

try {
  await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
