import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { createTestTopic } from '../suite.ts';
import { createWorkDir } from './work-dir.ts';
import { prepareKafka } from './kafka-jars.ts';
import { startKafka } from './kafka.ts';
import { MissingToolError } from './missing-tool-error.ts';
import { freePort } from './process.ts';

const { directory, clean } = createWorkDir('spec');
afterAll(clean);

test('it keeps its messages when it is killed and started again', async () => {
  const kafka = await startKafka({
    port: await freePort(),
    dataDir: join(directory, 'kafka'),
    logFile: join(directory, 'kafka.log'),
  });
  try {
    const topic = await createTestTopic({ partitions: 2, brokers: kafka.brokers });
    const place = await topic.publish([
      { key: 'a', value: 'en', partition: 0 },
      { key: 'b', value: 'to', partition: 1 },
      { key: 'a', value: null, partition: 0 },
    ]);
    expect(place).toEqual([
      { partition: 0, offset: 0 },
      { partition: 1, offset: 0 },
      { partition: 0, offset: 1 },
    ]);
    await kafka.kill();
    await kafka.restart();
    expect(await read(kafka.brokers, topic.topic, 3)).toEqual(['0:0:a=en', '0:1:a=null', '1:0:b=to']);
    await topic.remove();
  } finally {
    await kafka.stop();
  }
});

async function read(brokers: string, topic: string, count: number): Promise<string[]> {
  const consumer = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).consumer({ groupId: 'spec' });
  const wasRead: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((done) => {
    void consumer.run({
      eachMessage: async ({ partition, message: { offset, key, value } }) => {
        wasRead.push(`${String(partition)}:${offset}:${String(key)}=${String(value)}`);
        if (wasRead.length === count) done();
        return Promise.resolve();
      },
    });
  });
  await consumer.disconnect();
  return wasRead.sort();
}

describe('a machine', () => {
  const PATH = process.env['PATH'];
  afterEach(() => {
    process.env['PATH'] = PATH;
  });

  /** PATH with the programs given and nothing else that Kafka needs. */
  function onlyWith(name: string, programs: Record<string, string>): void {
    const bin = join(directory, name);
    mkdirSync(bin);
    symlinkSync('/bin/sh', join(bin, 'sh'));
    for (const [program, script] of Object.entries(programs)) {
      writeFileSync(join(bin, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    process.env['PATH'] = bin;
  }

  test('without Java is told to install it', async () => {
    onlyWith('uten-java', {});
    await expect(prepareKafka()).rejects.toThrow(MissingToolError);
    await expect(prepareKafka()).rejects.toThrow(
      'Java is missing: install a JDK or JRE, version 17 or newer, so that `java` is in PATH.',
    );
  });

  test.each([
    ['1.8.0_392', 8],
    ['11.0.21', 11],
  ])('with Java %s is told to install a newer one', async (version, main) => {
    onlyWith(`java-${version}`, { java: `echo 'openjdk version "${version}"' >&2` });
    await expect(prepareKafka()).rejects.toThrow(
      `Java 17 or newer is needed to run Kafka: \`java\` in PATH is version ${String(main)}; install a newer JDK or JRE.`,
    );
  });
});
