import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { freePort, onDuty, startTokenIssuer } from '@tiltak/testing';
import { startIngestor } from '../ingestor.ts';
import { createKafkaConnection, type KafkaConnection } from '../kafka/connection.ts';
import type { PartitionExtent } from '../kafka/topic-admin.ts';
import { Topic } from '../kafka/topic-reader.ts';
import { startTestIngest, TOPIC_ID, type TestIngest } from './test-ingest.ts';

export interface TestResponse {
  status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a client that knows nothing gets
  body: any;
}

export interface TestIngestor extends TestIngest {
  /** Where the topic ends, as a reconciliation sees it; without Kafka. */
  setTopicEnd: (end: number) => void;
  /** How long a reconciliation waits for the stream, ms; a minute unless this says otherwise. */
  setStreamWait: (ms: number) => void;
  url: string;
  /** Of somebody on duty. */
  token: () => Promise<string>;
  /** Of a client with those claims. */
  tokenWith: (claims: Record<string, unknown>) => Promise<string>;
  /** As somebody on duty, with JSON or, as text, NDJSON; unless other claims are given; `null`: without a token. */
  call: (
    method: string,
    path: string,
    body?: unknown,
    claims?: Record<string, unknown> | null,
  ) => Promise<TestResponse>;
}

const ON_DUTY = onDuty();
export const GROUP_ON_DUTY = '00000000-0000-4000-8000-0000000000d1';

/**
 * A started ingestor on a database of its own. Nothing goes on in the background, so that a spec decides when.
 *
 * @param kafka its settings; without them there is no Kafka
 * @param environment other settings
 */
export async function startTestIngestor(
  kafka?: Record<string, string>,
  environment: Record<string, string> = {},
): Promise<TestIngestor> {
  const issuer = await startTokenIssuer({ port: await freePort(), audience: 'tiltak-datadeling' });
  const end: PartitionExtent = { partition: 0, start: 0, end: 0, stableEnd: 0 };
  let streamWait = 60_000;
  const setup = await startTestIngest(
    {
      AVSTEMMING_MAKS_LINJER: '10000',
      DRIFT_GRUPPER: GROUP_ON_DUTY,
      AZURE_OPENID_CONFIG_ISSUER: issuer.issuer,
      AZURE_OPENID_CONFIG_JWKS_URI: issuer.jwksUri,
      ...kafka,
      ...environment,
    },
    {
      // The build lays the files of the page in place.
      serveConsole: () => undefined,
      avstemmingWaitMs: () => streamWait,
      ...(kafka ? {} : { kafka: (...args) => withoutKafka(createKafkaConnection(...args), end) }),
    },
  );
  const stop = await startIngestor({ ...setup.ingestor, jobs: [] });
  const { HOST, PORT } = setup.ingestor.config;
  const url = `http://${HOST}:${String(PORT)}`;
  const tokenWith = (claims: Record<string, unknown>): Promise<string> => issuer.token({ azp: 'vaktklient', claims });
  return {
    ...setup,
    url,
    setTopicEnd: (offset) => void (end.end = end.stableEnd = offset),
    setStreamWait: (ms) => void (streamWait = ms),
    token: () => tokenWith(ON_DUTY),
    tokenWith,
    call: async (method, path, body, claims = ON_DUTY) =>
      send(method, url + path, body, claims === null ? undefined : await tokenWith(claims)),
    empty: async () => {
      await setup.empty();
      await setup.owner.query('truncate driftshandling, avstemming, avstemming_differanse restart identity');
    },
    stop: async () => {
      await stop();
      await issuer.stop();
      await setup.stop();
    },
  };
}

/** As if Kafka answered where the topic ends, and nothing else. What is published is refused: nobody answers. */
function withoutKafka(kafka: KafkaConnection, end: PartitionExtent): KafkaConnection {
  return {
    ...kafka,
    stream: new SilentStream(),
    identStream: undefined,
    identTopic: undefined,
    resourceStreams: [],
    group: { isConsuming: false, start: () => undefined, stop: () => Promise.resolve() },
    topic: new Topic(
      kafka.topic.name,
      () => Promise.resolve({ id: TOPIC_ID, partitions: [end] }),
      () => {
        throw new Error('There is no Kafka here');
      },
    ),
    connect: () => Promise.resolve(),
    disconnect: () => kafka.publisher.stop(),
  };
}

/** A stream that nothing comes from. */
class SilentStream extends Server implements CustomTransportStrategy {
  listen(ready: () => void): void {
    ready();
  }

  close(): void {
    // There is nothing to close.
  }

  on(): void {
    throw new Error('This transport has no events');
  }

  unwrap<T>(): T {
    throw new Error('There is nothing inside');
  }
}

async function send(method: string, url: string, body: unknown, token: string | undefined): Promise<TestResponse> {
  const isText = typeof body === 'string';
  const response = await fetch(url, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': isText ? 'application/x-ndjson' : 'application/json' }),
    },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}
