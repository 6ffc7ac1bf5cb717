import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Kafka, logLevel } from 'kafkajs';
import { logger } from '@tiltak/platform';
import { levelOf } from './kafkajs-log.ts';

export interface KafkaOptions {
  brokers: string[];
  clientId: string;
  /** file paths; mTLS when all three are set */
  caPath?: string | undefined;
  certificatePath?: string | undefined;
  keyPath?: string | undefined;
  /** before an operation fails; for ever when undefined */
  retries?: number | undefined;
}

/** A client that, unless told, never gives up: a broker that is away is waited for. */
export function createKafka(options: KafkaOptions): Kafka {
  return new Kafka({
    brokers: options.brokers,
    clientId: options.clientId,
    ssl: tlsOptions(options),
    connectionTimeout: 5_000,
    retry: { initialRetryTime: 300, maxRetryTime: 5_000, retries: options.retries ?? Number.MAX_SAFE_INTEGER },
    logLevel: logLevel.WARN,
    // Only what kafkajs says in words: its extra fields can hold messages.
    logCreator: () => (line) => {
      logger[levelOf(line)]({ kilde: line.namespace }, line.log.message);
    },
  });
}

export function tlsOptions({ caPath, certificatePath, keyPath }: KafkaOptions): ConnectionOptions | false {
  if (!caPath || !certificatePath || !keyPath) return false;
  return { ca: [readFileSync(caPath)], cert: readFileSync(certificatePath), key: readFileSync(keyPath) };
}
