import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { testEnvironment } from '../suite.ts';
import { prepareKafka } from './kafka-jars.ts';

/** What Kafka's own producer is to do, one after the other. */
export type JavaStep =
  /** closes the one before; with an id, it writes in transactions */
  | { codec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'; transactionalId?: string }
  | 'begin'
  | 'commit'
  | 'abort'
  | { key: string; value: string | null; partition: number; times?: number };

export interface JavaProducer {
  /** All that is sent of a partition between two other steps is one batch. Resolves when Kafka has acknowledged all of it. */
  produce: (...steps: JavaStep[]) => Promise<void>;
  stop: () => Promise<void>;
}

/** Starts while the caller goes on; it takes a while. */
export async function startJavaProducer(topic: string): Promise<JavaProducer> {
  const libs = await prepareKafka();
  const source = join(import.meta.dirname, 'Produce.java');
  // One processor and one compiler: it lives for a few seconds.
  const options = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', join(libs, '*')];
  const java = spawn('java', [...options, source, testEnvironment().kafka, topic], { stdio: ['pipe', 'pipe', 'pipe'] });
  let printout = '';
  java.stderr.setEncoding('utf8').on('data', (part: string) => (printout += part));
  java.stdin.on('error', () => undefined);
  const ended = once(java, 'exit');
  const answers = createInterface({ input: java.stdout });
  return {
    produce: async (...steps) => {
      const answered = once(answers, 'line');
      java.stdin.write(`${steps.map(toLine).join('')}done\n`);
      const failed = ended.then(() => Promise.reject(new Error(`Kafka's producer ended: ${printout.slice(-2_000)}`)));
      await Promise.race([answered, failed]);
    },
    stop: async () => {
      java.stdin.end();
      await ended;
    },
  };
}

function toLine(step: JavaStep): string {
  if (typeof step === 'string') return `${step}\n`;
  if ('codec' in step) return `producer\t${step.codec}\t${step.transactionalId ?? ''}\n`;
  return `send\t${String(step.times ?? 1)}\t${String(step.partition)}\t${step.key}\t${step.value ?? ''}\n`;
}
