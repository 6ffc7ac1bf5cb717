import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareKafka } from './kafka-jars.ts';
import { formatStorage } from './kafka-storage.ts';
import { createWorkDir } from './work-dir.ts';

test('storage that is copied has ids of its own, and is left alone when it is there', async () => {
  const { directory, clean } = createWorkDir('lagring');
  try {
    const libs = await prepareKafka();
    const ids: string[] = [];
    for (const name of ['a', 'b', 'a']) {
      const logs = join(directory, name);
      const properties = join(directory, `${name}.properties`);
      writeFileSync(
        properties,
        `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:1
listeners=PLAINTEXT://127.0.0.1:2,CONTROLLER://127.0.0.1:1
controller.listener.names=CONTROLLER
log.dirs=${logs.replaceAll('\\', '/')}
`,
      );
      await formatStorage(libs, logs, properties);
      const meta = readFileSync(join(logs, 'meta.properties'), 'utf8');
      expect(meta).toContain('node.id=1\n');
      ids.push(meta.match(/^(?:cluster|directory)\.id=[\w-]{22}$/gm)?.join() ?? '');
    }
    expect(ids[0]).toMatch(/cluster\.id.*directory|directory\.id.*cluster/);
    expect(ids[1]).not.toBe(ids[0]);
    expect(ids[2]).toBe(ids[0]);
  } finally {
    clean();
  }
}, 60_000);
