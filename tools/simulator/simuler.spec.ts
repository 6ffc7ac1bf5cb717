import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import {
  kjorProgram,
  lagArbeidsmappe,
  ledigPort,
  opprettTesttopic,
  ROT,
  testmiljo,
  type Testtopic,
} from '@tiltak/testing';
import { forventet, type PlassertKildemelding } from './fasit/fasit.ts';
import { lagHendelser } from './hendelser.ts';
import { publiser } from './publiser.ts';

const PARTISJONER = 3;
let topic: Testtopic;
let mappe: ReturnType<typeof lagArbeidsmappe>;
beforeAll(async () => {
  topic = await opprettTesttopic({ partisjoner: PARTISJONER });
  mappe = lagArbeidsmappe('simuler');
});
afterAll(async () => {
  await topic.slett();
  mappe.rydd();
});

const kafka = new Kafka({ brokers: testmiljo().kafka.split(','), logLevel: logLevel.NOTHING });

/** What lies on the topic, once there are so many messages. */
async function les(antall: number): Promise<PlassertKildemelding[]> {
  const consumer = kafka.consumer({ groupId: `les-${topic.topic}-${String(antall)}` });
  await consumer.connect();
  await consumer.subscribe({ topic: topic.topic, fromBeginning: true });
  const lest: PlassertKildemelding[] = [];
  await new Promise<void>((ferdig, feil) => {
    consumer
      .run({
        eachMessage: ({ partition, message: { key, value, offset } }) => {
          lest.push({ nokkel: key, verdi: value, partisjon: partition, offset: Number(offset) });
          if (lest.length === antall) ferdig();
          return Promise.resolve();
        },
      })
      .catch(feil);
  });
  await consumer.disconnect();
  return lest;
}

const simuler = (...argumenter: string[]): ReturnType<typeof kjorProgram> =>
  kjorProgram(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=TimeoutNegativeWarning',
      'tools/simulator/simuler.ts',
      ...argumenter,
    ],
    { cwd: ROT, env: { ...process.env, NODE_OPTIONS: '', KAFKA_BROKERS: testmiljo().kafka, INIT_CWD: mappe.katalog } },
  );
const etterPlass = (a: PlassertKildemelding, b: PlassertKildemelding): number =>
  a.partisjon - b.partisjon || a.offset - b.offset;
const somTekst = ({ nokkel, verdi, partisjon, offset }: PlassertKildemelding): string =>
  [partisjon, offset, nokkel, verdi].map(String).join('|');

test('messages are where publishing said that they are, and the state is what they come to', async () => {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const meldinger = lagHendelser({ antall: 1_200, seed: 9, gift: true });
  const plassert: PlassertKildemelding[] = [];
  for await (const melding of publiser(producer, topic.topic, meldinger, { partisjoner: PARTISJONER }))
    plassert.push(melding);
  await producer.disconnect();
  const lest = await les(1_200);
  expect(lest.sort(etterPlass).map(somTekst)).toEqual(plassert.sort(etterPlass).map(somTekst));
  expect(new Set(plassert.map(({ partisjon }) => partisjon)).size).toBe(PARTISJONER);
  expect(forventet(lest)).toEqual(forventet(plassert));

  const linjer = ['{"avtaleId":"a", "x":1 }', 'ikke json', '{"å":"æ"}', '12'];
  writeFileSync(join(mappe.katalog, 'linjer.jsonl'), `${linjer.join('\n')}\n\n`);
  const { kode, utskrift } = await simuler('--fil', 'linjer.jsonl', '--topic', topic.topic);
  expect([kode, utskrift]).toEqual([0, expect.stringMatching(/^4 messages published to \S+ in \d+\.\d s\n$/)]);
  const nye = (await les(1_204)).sort(etterPlass).filter((m) => !lest.some((gammel) => etterPlass(m, gammel) === 0));
  expect(nye.map(({ nokkel, verdi }) => [String(nokkel), String(verdi)]).sort()).toEqual(
    linjer.map((linje) => [linje.includes('avtaleId') ? 'a' : '', linje]).sort(),
  );
});

test('the state of a run is written when asked for', async () => {
  const { kode } = await simuler(
    '--antall',
    '300',
    '--gift',
    '--takt',
    '3000',
    '--topic',
    topic.topic,
    '--tilstand',
    'ut.json',
  );
  expect(kode).toBe(0);
  const tilstand = JSON.parse(readFileSync(join(mappe.katalog, 'ut.json'), 'utf8')) as Record<string, unknown[]>;
  expect(tilstand['avtaler']?.length).toBeGreaterThan(10);
  expect(tilstand['parkert']).toHaveLength(3);
});

test.each([
  [['--antall', 'x'], /^--antall must be a whole number/],
  [['--antall', '1', '--topic', 'finnes-ikke'], /^--topic: Kafka has no topic finnes-ikke\.\n$/],
])('%j ends with a sentence', async (argumenter, sagt) => {
  const { kode, utskrift } = await simuler(...argumenter);
  expect([kode, utskrift]).toEqual([1, expect.stringMatching(sagt)]);
});

test('a broker that is away is said in a sentence', async () => {
  const { kode, utskrift } = await kjorProgram(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=TimeoutNegativeWarning',
      'tools/simulator/simuler.ts',
      '--antall',
      '1',
      '--topic',
      't',
    ],
    { cwd: ROT, env: { ...process.env, NODE_OPTIONS: '', KAFKA_BROKERS: `127.0.0.1:${String(await ledigPort())}` } },
  );
  expect([kode, utskrift]).toEqual([1, expect.stringMatching(/^Kafka does not answer at 127\.0\.0\.1:\d+/)]);
});
