import { setTimeout as vent } from 'node:timers/promises';
import { Partitioners, type Producer } from 'kafkajs';
import type { PlassertKildemelding } from './fasit/fasit.ts';
import type { Kildemelding } from './kilde/kildemelding.ts';

const HOYST_MELDINGER = 500;
/** Under what a broker takes in one batch unless it is told otherwise, 1 MiB, should all be for one partition. */
const HOYST_BYTES = 900_000;

interface Valg {
  /** of the topic */
  partisjoner: number;
  /** messages per second; undefined: as fast as it goes */
  takt?: number | undefined;
}

/**
 * Publishes messages in order, acknowledged by all replicas, and yields each with its place once it has one: so nothing
 * is published that nobody asks for. The partition follows from the key, as with Java's clients.
 */
export async function* publiser(
  producer: Producer,
  topic: string,
  meldinger: Iterable<Kildemelding> | AsyncIterable<Kildemelding>,
  { partisjoner, takt }: Valg,
): AsyncGenerator<PlassertKildemelding> {
  const partisjonFor = partisjonerer(topic, partisjoner);
  const fra = performance.now();
  let sendt = 0;
  for await (const gruppe of grupper(meldinger, takt)) {
    const plassert = gruppe.map((melding) => ({ ...melding, partisjon: partisjonFor(melding) }));
    const svar = await producer.send({
      topic,
      acks: -1,
      messages: plassert.map(({ nokkel, verdi, partisjon }) => ({ key: nokkel, value: verdi, partition: partisjon })),
    });
    // The broker tells where each partition's part of the group begins.
    const neste = new Map(svar.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]));
    for (const melding of plassert) {
      const offset = neste.get(melding.partisjon);
      if (offset === undefined)
        throw new Error(`Kafka did not say where partition ${String(melding.partisjon)} begins`);
      neste.set(melding.partisjon, offset + 1);
      yield { ...melding, offset };
    }
    sendt += gruppe.length;
    if (takt !== undefined) await vent(Math.max(0, (sendt / takt) * 1_000 - (performance.now() - fra)));
  }
}

/** Kafka's own choice from the key, made here so that it is known. */
function partisjonerer(topic: string, antall: number): (melding: Kildemelding) => number {
  const velg = Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: antall }, (_, partitionId) => ({
    partitionId,
    partitionErrorCode: 0,
    leader: 0,
    replicas: [],
    isr: [],
  }));
  return ({ nokkel, verdi }) => velg({ topic, partitionMetadata, message: { key: nokkel, value: verdi } });
}

/** What is sent at a time: with a `takt`, a twentieth of a second's messages. */
async function* grupper(
  meldinger: Iterable<Kildemelding> | AsyncIterable<Kildemelding>,
  takt = Infinity,
): AsyncGenerator<Kildemelding[]> {
  const hoyst = Math.max(1, Math.min(HOYST_MELDINGER, Math.floor(takt / 20)));
  let gruppe: Kildemelding[] = [];
  let bytes = 0;
  for await (const melding of meldinger) {
    const egne = melding.verdi === null ? 0 : Buffer.byteLength(melding.verdi);
    if (gruppe.length > 0 && (gruppe.length >= hoyst || bytes + egne > HOYST_BYTES)) {
      yield gruppe;
      gruppe = [];
      bytes = 0;
    }
    gruppe.push(melding);
    bytes += egne;
  }
  if (gruppe.length > 0) yield gruppe;
}
