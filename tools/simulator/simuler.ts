import { existsSync, readFileSync, createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as vent } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { LOKALT } from '@tiltak/testing';
import { lagHendelser } from './livslop.ts';
import type { Kildemelding } from './kildemelding.ts';

/** Said to whoever runs this, without a stack trace. */
class Bruksfeil extends Error {}

const BRUK = 'Usage: npm run simuler -- --antall N [--takt M] [--seed S] [--gift] [--topic T], or --fil X.jsonl';
const GRUPPE = 500;

interface Valg {
  kafka: string[];
  topic: string;
  meldinger: Iterable<Kildemelding> | AsyncIterable<Kildemelding>;
  /** messages per second; undefined: as fast as it goes */
  takt: number | undefined;
}

function lesValg(): Valg {
  const { values } = parseArgs({
    options: {
      antall: { type: 'string' },
      takt: { type: 'string' },
      seed: { type: 'string', default: '1' },
      fil: { type: 'string' },
      gift: { type: 'boolean', default: false },
      topic: { type: 'string' },
    },
  });
  const fil = values.fil;
  if ((fil === undefined) === (values.antall === undefined)) throw new Bruksfeil(BRUK);
  if (fil !== undefined && !existsSync(fil)) throw new Bruksfeil(`--fil: there is no file ${fil}`);
  const klar = lesKlar();
  const kafka = process.env['KAFKA_BROKERS'] ?? klar?.kafka;
  const topic = values.topic ?? klar?.topic;
  if (!kafka || !topic)
    throw new Bruksfeil('The local stack is not running: start it with npm start, or set KAFKA_BROKERS and --topic');
  return {
    kafka: kafka.split(','),
    topic,
    takt: values.takt === undefined ? undefined : heltall('--takt', values.takt),
    meldinger:
      fil === undefined
        ? lagHendelser({
            antall: heltall('--antall', values.antall ?? ''),
            seed: heltall('--seed', values.seed),
            gift: values.gift,
          })
        : lesFil(fil),
  };
}

function heltall(navn: string, tekst: string): number {
  if (!/^\d{1,9}$/.test(tekst) || Number(tekst) < 1) throw new Bruksfeil(`${navn} must be a whole number from 1`);
  return Number(tekst);
}

function lesKlar(): { kafka: string; topic: string } | undefined {
  const fil = join(LOKALT, 'ready.json');
  return existsSync(fil) ? (JSON.parse(readFileSync(fil, 'utf8')) as { kafka: string; topic: string }) : undefined;
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
    const { avtaleId } = JSON.parse(linje) as { avtaleId?: unknown };
    return typeof avtaleId === 'string' ? avtaleId : '';
  } catch {
    return '';
  }
}

/** Sends them in order, keyed, acknowledged by all replicas. */
async function publiser(producer: Producer, { topic, meldinger, takt }: Valg): Promise<number> {
  const fra = performance.now();
  let sendt = 0;
  let gruppe: { key: string | null; value: string | Buffer | null }[] = [];
  const send = async (): Promise<void> => {
    if (gruppe.length === 0) return;
    await producer.send({ topic, acks: -1, messages: gruppe });
    sendt += gruppe.length;
    gruppe = [];
    if (takt !== undefined) await vent(Math.max(0, (sendt / takt) * 1_000 - (performance.now() - fra)));
  };
  const stoerrelse = takt === undefined ? GRUPPE : Math.max(1, Math.min(GRUPPE, Math.floor(takt / 20)));
  for await (const { nokkel, verdi } of meldinger) {
    gruppe.push({ key: nokkel, value: verdi });
    if (gruppe.length >= stoerrelse) await send();
  }
  await send();
  return sendt;
}

try {
  const valg = lesValg();
  const kafka = new Kafka({ brokers: valg.kafka, logLevel: logLevel.ERROR, retry: { retries: 3 } });
  // As Java's clients do it, so that an avtale stays on its partition.
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  const fra = performance.now();
  await producer.connect();
  const antall = await publiser(producer, valg);
  await producer.disconnect();
  console.log(
    `${String(antall)} messages published to ${valg.topic} in ${((performance.now() - fra) / 1_000).toFixed(1)} s`,
  );
} catch (feil) {
  console.error(feil instanceof Error ? feil.message : String(feil));
  process.exitCode = 1;
}
