import { setTimeout as wait } from 'node:timers/promises';
import type { Producer } from 'kafkajs';
import { createEvents } from '@tiltak/simulator';
import { percentile, timesOf, type Span, type Times } from '../measuring/statistics.ts';
import { publishAll, textsOf, withProducer, type TextMessage } from '../publish.ts';
import { encodeRequest, HttpConnection, type Answer } from './http-connection.ts';

export interface FreshnessOptions {
  url: string;
  headers: Record<string, string>;
  brokers: string;
  topic: string;
  partitions: number;
  perSecond: number;
  seconds: number;
  seed: number;
}

export interface FreshnessResult {
  times: Times;
  /** avtaler that were looked for */
  seen: number;
  lateness: { p99: number; max: number };
}

const BATCHES_PER_SECOND = 20;
/** An avtale that is wrongly registered is never shown. */
const GIVE_UP_MS = 5_000;
const LOOK_EVERY_MS = 2;

/** From when Kafka has acknowledged an avtale that nobody has heard of before until it is answered. */
export async function measureFreshness(options: FreshnessOptions): Promise<FreshnessResult> {
  const { perSecond, seconds, seed } = options;
  const messages = textsOf(createEvents({ count: perSecond * seconds, seed }));
  return withProducer(options.brokers, (producer) => publishEvenly(producer, options, messages));
}

async function publishEvenly(
  producer: Producer,
  options: FreshnessOptions,
  messages: readonly TextMessage[],
): Promise<FreshnessResult> {
  const { perSecond } = options;
  const seen = new Set<string>();
  const late: number[] = [];
  const looks: Promise<Span | undefined>[] = [];
  const size = Math.ceil(perSecond / BATCHES_PER_SECOND);
  const begun = performance.now();
  for (let at = 0; at < messages.length; at += size) {
    const due = begun + (at / perSecond) * 1_000;
    await wait(Math.max(0, due - performance.now()));
    late.push(performance.now() - due);
    const batch = messages.slice(at, at + size);
    const fresh = batch.map(({ key }) => String(key)).filter((id) => !seen.has(id));
    for (const id of fresh) seen.add(id);
    await publishAll(producer, options, batch);
    const [newest] = fresh.slice(-1);
    if (newest !== undefined) looks.push(lookFor(options, newest));
  }
  const spans = (await Promise.all(looks)).filter((span) => span !== undefined);
  return {
    times: timesOf(spans),
    seen: spans.length,
    lateness: { p99: percentile(late, 0.99), max: Math.max(...late) },
  };
}

async function lookFor({ url, headers }: FreshnessOptions, avtaleId: string): Promise<Span | undefined> {
  const from = performance.now();
  const connection = new HttpConnection(url);
  const request = encodeRequest({ method: 'GET', path: `/api/v1/avtaler/${avtaleId}` }, headers);
  try {
    while (performance.now() - from < GIVE_UP_MS) {
      const answer = await new Promise<Answer | undefined>((done) => connection.send(request, done));
      if (answer?.status === 200) return { from, to: performance.now() };
      await wait(LOOK_EVERY_MS);
    }
    return undefined;
  } finally {
    connection.close();
  }
}
