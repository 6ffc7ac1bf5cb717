import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWorkDir } from './work-dir.ts';
import { prepareKafka } from './kafka-jars.ts';
import { MissingToolError } from './missing-tool-error.ts';

const { directory, clean } = createWorkDir('spec');
afterAll(clean);

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
