import { setTimeout as vent } from 'node:timers/promises';
import { fellesFeil, Problem } from '@tiltak/platform';
import type { Meldingsbatch } from './batch.ts';
import type { Utstrekning } from './posisjoner.ts';

/** Reads from positions that it is told, and hands over batches as `BatchStrategi` does. */
export interface Leser {
  listen: (klar: () => void) => void;
  close: () => Promise<void>;
}

export interface Lesing {
  /** of the consumer group, which is not the stream's */
  hva: 'gjenoppbygging' | 'avstemming';
  behandle: (batch: Meldingsbatch) => Promise<number>;
  posisjoner: () => Promise<Map<number, number>>;
}

/** The organisation's topic, to be read again beside the stream. */
export class Topic {
  constructor(
    readonly navn: string,
    private readonly lesUtstrekning: () => Promise<Utstrekning[]>,
    readonly lagLeser: (lesing: Lesing) => Leser,
  ) {}

  /** @throws Problem 503 when Kafka does not answer in time */
  async utstrekning(): Promise<Utstrekning[]> {
    const utstrekning = await Promise.race([this.lesUtstrekning(), vent(5_000, undefined, { ref: false })]);
    if (!utstrekning) throw borte();
    return utstrekning;
  }
}

const STILLE_MS = 60_000;

/**
 * Reads the topic from its start to where it ends in `ender`, once. Batches come one at a time, cut off at that end, in
 * order within a partition; after a rebalance some may come again.
 *
 * @throws Problem 503 when Kafka is silent for a minute, and what `behandle` throws
 */
export async function lesTopic(
  topic: Topic,
  ender: Utstrekning[],
  behandle: (batch: Meldingsbatch) => Promise<void>,
): Promise<void> {
  const igjen = new Map(ender.filter(({ start, slutt }) => start < slutt).map((del) => [del.partisjon, del.slutt]));
  if (igjen.size === 0) return;
  const neste = new Map(ender.map(({ partisjon, start }) => [partisjon, start]));
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const stillhet = setTimeout(() => reject(borte()), STILLE_MS);
  let koe: Promise<unknown> = Promise.resolve();
  const motta = async (batch: Meldingsbatch): Promise<void> => {
    const { partisjon, nesteOffset } = batch;
    const slutt = igjen.get(partisjon);
    if (slutt === undefined) return;
    stillhet.refresh();
    await behandle({ ...batch, meldinger: batch.meldinger.filter(({ offset }) => offset < slutt) });
    neste.set(partisjon, nesteOffset);
    if (nesteOffset >= slutt) igjen.delete(partisjon);
    if (igjen.size === 0) resolve(undefined);
  };
  const leser = topic.lagLeser({
    hva: 'avstemming',
    posisjoner: () => Promise.resolve(neste),
    behandle: async (batch) => {
      koe = koe.then(() => motta(batch)).catch(reject);
      await koe;
      return batch.nesteOffset;
    },
  });
  try {
    leser.listen(() => undefined);
    await promise;
  } finally {
    clearTimeout(stillhet);
    await leser.close();
  }
}

function borte(): Problem {
  return new Problem(fellesFeil.UTILGJENGELIG, 'Kafka does not answer', { retryAfter: 10 });
}
