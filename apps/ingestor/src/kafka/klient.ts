import { readFileSync } from 'node:fs';
import { Kafka, logLevel, type KafkaConfig } from 'kafkajs';
import { logg } from '@tiltak/platform';

export interface Kafkavalg {
  brokers: string[];
  clientId: string;
  /** file paths; mTLS when all three are set */
  caSti?: string | undefined;
  sertifikatSti?: string | undefined;
  noekkelSti?: string | undefined;
  /** before an operation fails; for ever when undefined */
  forsoek?: number;
}

/** A client that, unless told, never gives up: a broker that is away is waited for. */
export function lagKafka(valg: Kafkavalg): Kafka {
  return new Kafka({
    brokers: valg.brokers,
    clientId: valg.clientId,
    ssl: ssl(valg),
    connectionTimeout: 5_000,
    retry: { initialRetryTime: 300, maxRetryTime: 5_000, retries: valg.forsoek ?? Number.MAX_SAFE_INTEGER },
    logLevel: logLevel.WARN,
    // Only what kafkajs says in words: its extra fields can hold messages.
    logCreator: () => (linje) => {
      const nivaa = linje.level === logLevel.ERROR ? 'error' : 'warn';
      logg[nivaa]({ kilde: linje.namespace }, linje.log.message);
    },
  });
}

function ssl({ caSti, sertifikatSti, noekkelSti }: Kafkavalg): NonNullable<KafkaConfig['ssl']> {
  if (!caSti || !sertifikatSti || !noekkelSti) return false;
  return { ca: [readFileSync(caSti)], cert: readFileSync(sertifikatSti), key: readFileSync(noekkelSti) };
}
