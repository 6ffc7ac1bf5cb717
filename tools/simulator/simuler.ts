import { createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { LOKALT } from '@tiltak/testing';
import { forventet, type PlassertKildemelding } from './fasit/fasit.ts';
import { lagHendelser } from './hendelser.ts';
import type { Kildemelding } from './kilde/kildemelding.ts';
import { publiser } from './publiser.ts';
import { Bruksfeil, lesValg, type Stabel, type Valg } from './valg.ts';

try {
  await simuler(lesValg(process.argv.slice(2), process.env, lesStabel()));
} catch (feil) {
  console.error(feil instanceof Error ? feil.message : String(feil));
  process.exitCode = 1;
}

async function simuler(valg: Valg): Promise<void> {
  const kafka = new Kafka({ brokers: valg.brokers, logLevel: logLevel.NOTHING, retry: { retries: 3 } });
  const partisjoner = await antallPartisjoner(kafka, valg);
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    await publiserAlt(producer, partisjoner, valg);
  } finally {
    await producer.disconnect();
  }
}

async function publiserAlt(producer: Producer, partisjoner: number, valg: Valg): Promise<void> {
  const { topic, kilde, takt, tilstand } = valg;
  const meldinger = 'fil' in kilde ? lesFil(kilde.fil) : lagHendelser(kilde);
  const fra = performance.now();
  // Kept only when the state is asked for.
  const publisert: PlassertKildemelding[] = [];
  let antall = 0;
  for await (const melding of publiser(producer, topic, meldinger, { partisjoner, takt })) {
    antall++;
    if (tilstand !== undefined) publisert.push(melding);
  }
  const sekunder = ((performance.now() - fra) / 1_000).toFixed(1);
  console.log(`${String(antall)} messages published to ${topic} in ${sekunder} s`);
  if (tilstand !== undefined) skrivTilstand(tilstand, publisert);
}

/** What the messages of this run come to, without regard to what was on the topic before. Holds national idents. */
function skrivTilstand(fil: string, publisert: PlassertKildemelding[]): void {
  const { avtaler, slettet, parkert } = forventet(publisert);
  const tilstand = { avtaler: [...avtaler.values()], slettet: Object.fromEntries(slettet), parkert };
  writeFileSync(fil, `${JSON.stringify(tilstand, null, 2)}\n`, { mode: 0o600 });
}

async function antallPartisjoner(kafka: Kafka, { brokers, topic }: Valg): Promise<number> {
  const admin = kafka.admin();
  try {
    await admin.connect();
  } catch {
    throw new Bruksfeil(`Kafka does not answer at ${brokers.join(', ')}: start the local stack, or set KAFKA_BROKERS.`);
  }
  try {
    const topics = await admin.listTopics();
    if (!topics.includes(topic)) throw new Bruksfeil(`--topic: Kafka has no topic ${topic}.`);
    const { topics: metadata } = await admin.fetchTopicMetadata({ topics: [topic] });
    return metadata[0]?.partitions.length ?? 0;
  } finally {
    await admin.disconnect();
  }
}

function lesStabel(): Stabel | undefined {
  const fil = join(LOKALT, 'ready.json');
  return existsSync(fil) ? (JSON.parse(readFileSync(fil, 'utf8')) as Stabel) : undefined;
}

/** Each line as it is; the key is the avtaleId it holds. One without gets an empty key: a compacted topic demands one. */
async function* lesFil(fil: string): AsyncGenerator<Kildemelding> {
  for await (const linje of createInterface({ input: createReadStream(fil, 'latin1'), crlfDelay: Infinity })) {
    if (linje === '') continue;
    // Read and sent byte by byte, so that also what isn't UTF-8 arrives as it is.
    const verdi = Buffer.from(linje, 'latin1');
    yield { nokkel: avtaleIdI(verdi.toString('utf8')), verdi };
  }
}

function avtaleIdI(linje: string): string {
  try {
    const melding = JSON.parse(linje) as { avtaleId?: unknown } | null;
    return typeof melding?.avtaleId === 'string' ? melding.avtaleId : '';
  } catch {
    return '';
  }
}
