import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { opprettTesttopic } from '../suite.ts';
import { lagArbeidsmappe } from './arbeidsmappe.ts';
import { klargjorKafka } from './kafka-verktoy.ts';
import { startKafka } from './kafka.ts';
import { ManglerVerktoy } from './mangler-verktoy.ts';
import { ledigPort } from './prosess.ts';

const { katalog, rydd } = lagArbeidsmappe('spec');
afterAll(rydd);

test('it keeps its messages when it is killed and started again', async () => {
  const kafka = await startKafka({
    port: await ledigPort(),
    dataDir: join(katalog, 'kafka'),
    loggfil: join(katalog, 'kafka.log'),
  });
  try {
    const topic = await opprettTesttopic({ partisjoner: 2, brokers: kafka.brokers });
    const plasser = await topic.publiser([
      { nokkel: 'a', verdi: 'en', partisjon: 0 },
      { nokkel: 'b', verdi: 'to', partisjon: 1 },
      { nokkel: 'a', verdi: null, partisjon: 0 },
    ]);
    expect(plasser).toEqual([
      { partisjon: 0, offset: 0 },
      { partisjon: 1, offset: 0 },
      { partisjon: 0, offset: 1 },
    ]);
    await kafka.drep();
    await kafka.startIgjen();
    expect(await les(kafka.brokers, topic.topic, 3)).toEqual(['0:0:a=en', '0:1:a=null', '1:0:b=to']);
    await topic.slett();
  } finally {
    await kafka.stopp();
  }
});

async function les(brokers: string, topic: string, antall: number): Promise<string[]> {
  const consumer = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).consumer({ groupId: 'spec' });
  const lest: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((ferdig) => {
    void consumer.run({
      eachMessage: async ({ partition, message: { offset, key, value } }) => {
        lest.push(`${String(partition)}:${offset}:${String(key)}=${String(value)}`);
        if (lest.length === antall) ferdig();
        return Promise.resolve();
      },
    });
  });
  await consumer.disconnect();
  return lest.sort();
}

describe('a machine', () => {
  const PATH = process.env['PATH'];
  afterEach(() => {
    process.env['PATH'] = PATH;
  });

  /** PATH with the programs given and nothing else that Kafka needs. */
  function bareMed(navn: string, programmer: Record<string, string>): void {
    const bin = join(katalog, navn);
    mkdirSync(bin);
    symlinkSync('/bin/sh', join(bin, 'sh'));
    for (const [program, skript] of Object.entries(programmer)) {
      writeFileSync(join(bin, program), `#!/bin/sh\n${skript}\n`, { mode: 0o755 });
    }
    process.env['PATH'] = bin;
  }

  test('without Java is told to install it', async () => {
    bareMed('uten-java', {});
    await expect(klargjorKafka()).rejects.toThrow(ManglerVerktoy);
    await expect(klargjorKafka()).rejects.toThrow(
      'Java is missing: install a JDK or JRE, version 17 or newer, so that `java` is in PATH.',
    );
  });

  test.each([
    ['1.8.0_392', 8],
    ['11.0.21', 11],
  ])('with Java %s is told to install a newer one', async (versjon, hoved) => {
    bareMed(`java-${versjon}`, { java: `echo 'openjdk version "${versjon}"' >&2` });
    await expect(klargjorKafka()).rejects.toThrow(
      `Java 17 or newer is needed to run Kafka: \`java\` in PATH is version ${String(hoved)}; install a newer JDK or JRE.`,
    );
  });
});
