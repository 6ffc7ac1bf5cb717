import { SLETT_FOER } from '@tiltak/avtale';
import { fellesFeil, logg, Problem } from '@tiltak/platform';
import type { Admin, Kafka, Message, Producer } from 'kafkajs';
import { lesUtstrekning } from '../kafka/posisjoner.ts';

/** What an adapter's push becomes on the organisation's topic; `verdi` null is a tombstone. */
export interface NyMelding {
  avtaleId: string;
  verdi: string | null;
  /** where it must lie; by the key when undefined */
  partisjon?: number;
  /** of a tombstone: the offset of the partition that it does not delete beyond */
  slettFoer?: number;
}

const FRIST_MS = 20_000;
/** A broker takes 1 MiB for one partition at a time, unless told otherwise. */
const MAKS_BYTES = 512 * 1024;

/**
 * Writes to the organisation's topic, with the acknowledgement of every replica. After a failure the sequence of an
 * idempotent producer is unknown, so the next attempt gets a new one.
 */
export class Publisering {
  private tilkoblet: Promise<{ producer: Producer; admin: Admin }> | undefined;

  constructor(
    private readonly kafka: Kafka,
    readonly topic: string,
  ) {}

  /** @throws Problem 503; part of it may be on the topic then, and may be published again */
  publiser(meldinger: readonly NyMelding[]): Promise<void> {
    return this.medFrist(async ({ producer }, signal) => {
      for (const messages of deler(meldinger)) {
        // Who asked has been told that it failed: the rest would come late, and is held in memory until then.
        if (signal.aborted) return;
        await producer.send({ topic: this.topic, acks: -1, messages });
      }
    });
  }

  /** The end of each partition. @throws Problem 503 */
  slutt(): Promise<Map<number, number>> {
    return this.medFrist(async ({ admin }) => {
      const utstrekning = await lesUtstrekning(admin, this.topic);
      return new Map(utstrekning.map(({ partisjon, slutt }) => [partisjon, slutt]));
    });
  }

  async stopp(): Promise<void> {
    const tilkoblet = await this.tilkoblet?.catch(() => undefined);
    await tilkoblet?.producer.disconnect();
    await tilkoblet?.admin.disconnect();
  }

  private async medFrist<T>(
    arbeid: (kafka: { producer: Producer; admin: Admin }, avbrutt: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const avbryt = new AbortController();
    const tilkoblet = (this.tilkoblet ??= this.kobleTil());
    let frist: NodeJS.Timeout | undefined;
    const forSent = new Promise<never>((_, avvis) => {
      frist = setTimeout(() => avvis(new Error('Kafka did not answer in time')), FRIST_MS);
    });
    try {
      return await Promise.race([tilkoblet.then((kafka) => arbeid(kafka, avbryt.signal)), forSent]);
    } catch (feil) {
      avbryt.abort();
      logg.warn({ err: feil }, 'Kafka could not be written to');
      if (this.tilkoblet === tilkoblet) this.tilkoblet = undefined;
      void tilkoblet
        .then(({ producer, admin }) => Promise.all([producer.disconnect(), admin.disconnect()]))
        .catch(() => undefined);
      throw new Problem(fellesFeil.UTILGJENGELIG, 'Kafka does not answer', { retryAfter: 5, cause: feil });
    } finally {
      clearTimeout(frist);
    }
  }

  private async kobleTil(): Promise<{ producer: Producer; admin: Admin }> {
    const producer = this.kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    const admin = this.kafka.admin();
    await Promise.all([producer.connect(), admin.connect()]);
    return { producer, admin };
  }
}

function* deler(meldinger: readonly NyMelding[]): Generator<Message[]> {
  let del: Message[] = [];
  let bytes = 0;
  for (const { avtaleId, verdi, partisjon, slettFoer } of meldinger) {
    const stoerrelse = 100 + (verdi === null ? 0 : Buffer.byteLength(verdi));
    if (bytes + stoerrelse > MAKS_BYTES && del.length > 0) {
      yield del;
      [del, bytes] = [[], 0];
    }
    bytes += stoerrelse;
    del.push({
      key: avtaleId,
      value: verdi,
      ...(partisjon === undefined ? {} : { partition: partisjon }),
      ...(slettFoer === undefined ? {} : { headers: { [SLETT_FOER]: String(slettFoer) } }),
    });
  }
  if (del.length > 0) yield del;
}
