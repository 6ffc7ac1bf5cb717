import { setTimeout as vent } from 'node:timers/promises';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { SLETT_FOER } from '@tiltak/avtale';
import { logg } from '@tiltak/platform';
import { KafkaJSError, type Consumer, type EachBatchPayload, type Kafka } from 'kafkajs';
import { firstValueFrom, isObservable } from 'rxjs';
import type { Meldingsbatch, RaaMelding } from './batch.ts';

export interface Forbruksvalg {
  topic: string;
  /** the `@MessagePattern` of the handler */
  monster: string;
  groupId: string;
  /** how many partitions are worked on at the same time */
  samtidigePartisjoner: number;
}

/** The stored positions of the partitions, made sure to exist on the topic. */
export type Klargjor = (partisjoner: number[]) => Promise<Map<number, number>>;

/** The position that a handler answers with when it can't use the one a batch was read from. */
export const UKJENT_POSISJON = -1;

/**
 * A Nest transport that hands whole batches of a partition to one `@MessagePattern` handler, which stores them and answers with the position to go on from. The handler's store, not Kafka, decides the position: on assignment the
 * consumer seeks to it, and an answer other than the batch's end is a seek.
 *
 * A handler that throws is called again with the same batch, for ever, with back-off, while the membership of the
 * group is kept alive: nothing is skipped because something else is down.
 */
export class BatchStrategi extends Server implements CustomTransportStrategy {
  private consumer: Consumer | undefined;
  private stoppet = false;
  private medlem = false;

  constructor(
    private readonly kafka: Kafka,
    private readonly valg: Forbruksvalg,
    private readonly klargjor: Klargjor,
  ) {
    super();
  }

  /** Returns at once; a broker that is away is waited for in the background. */
  listen(callback: () => void): void {
    void this.forbruk();
    callback();
  }

  /** Finishes the batches under way. */
  async close(): Promise<void> {
    this.stoppet = true;
    await this.consumer?.disconnect();
  }

  /** Whether this process is a member of the consumer group. */
  get erMedlem(): boolean {
    return this.medlem;
  }

  on(): void {
    throw new Error('This transport has no events');
  }

  unwrap<T>(): T {
    return this.consumer as T;
  }

  private async forbruk(): Promise<void> {
    const { topic, groupId, samtidigePartisjoner } = this.valg;
    for (let forsoek = 0; !this.stoppet; forsoek++) {
      const consumer = this.lagConsumer(groupId);
      this.consumer = consumer;
      try {
        await consumer.connect();
        await consumer.subscribe({ topic, fromBeginning: true });
        await consumer.run({
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: samtidigePartisjoner,
          eachBatch: (payload) => this.behandle(consumer, payload),
        });
        return;
      } catch (feil) {
        logg.warn({ err: feil, topic }, 'Could not start consuming; trying again');
        await consumer.disconnect().catch(() => undefined);
        await vent(pause(forsoek));
      }
    }
  }

  private lagConsumer(groupId: string): Consumer {
    const consumer = this.kafka.consumer({
      groupId,
      // As much as is worth one transaction, and little enough that several partitions fit in 200 MiB.
      maxBytesPerPartition: 2 * 1024 * 1024,
      maxBytes: 4 * 1024 * 1024,
      maxWaitTimeInMs: 1_000,
      // A process that was killed holds its partitions until the session ends.
      sessionTimeout: 10_000,
      heartbeatInterval: 1_000,
      rebalanceTimeout: 60_000,
      retry: { initialRetryTime: 300, maxRetryTime: 5_000, retries: 8 },
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.medlem = true;
      void this.gaaTilLagret(consumer, payload.memberAssignment[this.valg.topic] ?? []);
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      this.medlem = false;
      logg.error({ err: payload.error, startesPaaNytt: payload.restart }, 'The Kafka consumer stopped');
      // kafkajs itself starts again after what it considers passing.
      if (!payload.restart && !this.stoppet) void this.forbruk();
    });
    return consumer;
  }

  private async gaaTilLagret(consumer: Consumer, partisjoner: number[]): Promise<void> {
    for (let forsoek = 0; !this.stoppet && consumer === this.consumer; forsoek++) {
      try {
        const posisjoner = await this.klargjor(partisjoner);
        for (const partisjon of partisjoner) soek(consumer, this.valg.topic, partisjon, posisjoner.get(partisjon));
        return;
      } catch (feil) {
        logg.warn({ err: feil }, 'Could not find the stored positions; trying again');
        await vent(pause(forsoek));
      }
    }
  }

  private async behandle(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    const batch = tilBatch(payload);
    const { topic, partisjon } = batch;
    for (let forsoek = 0; payload.isRunning() && !payload.isStale(); forsoek++) {
      try {
        const neste = await medHjerteslag(payload.heartbeat, () => this.kallHandler(batch));
        if (neste === batch.nesteOffset) payload.resolveOffset(String(neste - 1));
        else if (neste === UKJENT_POSISJON) await this.gaaTilLagret(consumer, [partisjon]);
        else soek(consumer, topic, partisjon, neste);
        return;
      } catch (feil) {
        // The group is rebalancing: kafkajs must hear of it, and the next owner begins where the store says.
        if (feil instanceof KafkaJSError) throw feil;
        const pauseMs = pause(forsoek);
        logg.warn({ err: feil, topic, partisjon, forsoek, pauseMs }, 'The batch could not be stored; trying again');
        await medHjerteslag(payload.heartbeat, () => ventMens(payload.isRunning, pauseMs));
      }
    }
  }

  private async kallHandler(batch: Meldingsbatch): Promise<number> {
    const handler: MessageHandler<Meldingsbatch, undefined, number> | null = this.getHandlerByPattern(
      this.valg.monster,
    );
    if (!handler) throw new Error(`No handler for ${this.valg.monster}`);
    const svar = await handler(batch);
    return isObservable(svar) ? firstValueFrom(svar) : svar;
  }
}

function soek(consumer: Consumer, topic: string, partition: number, posisjon: number | undefined): void {
  if (posisjon !== undefined) consumer.seek({ topic, partition, offset: String(posisjon) });
}

function tilBatch({ batch }: EachBatchPayload): Meldingsbatch {
  return {
    topic: batch.topic,
    partisjon: batch.partition,
    hentetFra: Number((batch as typeof batch & { fetchedOffset: string }).fetchedOffset),
    meldinger: batch.messages.map(({ offset, key, value, headers }) => ({
      offset: Number(offset),
      nokkel: key,
      verdi: value,
      ...lesSlettFoer(headers?.[SLETT_FOER]),
    })),
    nesteOffset: Number(batch.lastOffset()) + 1,
    sluttOffset: Number(batch.highWatermark),
  };
}

/** Anything but an offset is no limit: the message is a tombstone like any other. */
function lesSlettFoer(hode: unknown): Pick<RaaMelding, 'slettFoer'> {
  const tekst = Buffer.isBuffer(hode) ? hode.toString('latin1') : '';
  return /^\d{1,15}$/.test(tekst) ? { slettFoer: Number(tekst) } : {};
}

/** Keeps the membership of the group alive meanwhile; a rebalance is told of when the work is done, not before. */
async function medHjerteslag<T>(heartbeat: () => Promise<void>, arbeid: () => Promise<T>): Promise<T> {
  let feilet: unknown;
  const slag = setInterval(() => {
    heartbeat().catch((feil: unknown) => (feilet = feil));
  }, 1_000);
  try {
    const svar = await arbeid();
    if (feilet instanceof KafkaJSError) throw feilet;
    return svar;
  } finally {
    clearInterval(slag);
  }
}

/** 0.1 s, doubling to 5 s. */
function pause(forsoek: number): number {
  return Math.min(100 * 2 ** Math.min(forsoek, 10), 5_000);
}

async function ventMens(vilkaar: () => boolean, ms: number): Promise<void> {
  for (const slutt = Date.now() + ms; vilkaar() && Date.now() < slutt;) await vent(Math.min(100, ms));
}
