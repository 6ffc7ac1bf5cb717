import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
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

/** All that is sent of a partition between two other steps is one batch. */
export async function produceWithJava(topic: string, steps: readonly JavaStep[]): Promise<void> {
  const libs = await prepareKafka();
  const source = join(import.meta.dirname, 'Produce.java');
  const java = spawn('java', ['-cp', join(libs, '*'), source, testEnvironment().kafka, topic], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  java.stdin.end(steps.map(toLine).join(''));
  const [printout, [code]] = await Promise.all([text(java.stderr), once(java, 'exit') as Promise<[number | null]>]);
  if (code !== 0) throw new Error(`Kafka's producer ended with ${String(code)}: ${printout.slice(-2_000)}`);
}

function toLine(step: JavaStep): string {
  if (typeof step === 'string') return `${step}\n`;
  if ('codec' in step) return `producer\t${step.codec}\t${step.transactionalId ?? ''}\n`;
  return `send\t${String(step.times ?? 1)}\t${String(step.partition)}\t${step.key}\t${step.value ?? ''}\n`;
}
