import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './process.ts';

/**
 * Makes the storage that Kafka wants to begin with, unless it is there. Kafka's own tool takes seconds, so what it wrote
 * the first time is kept beside the jars, and copied with ids of its own.
 *
 * @param logs the only directory of `log.dirs` in the properties
 */
export async function formatStorage(libs: string, logs: string, properties: string): Promise<void> {
  if (existsSync(join(logs, META))) return;
  const template = `${libs}-formatert`;
  if (!existsSync(template)) await createTemplate(libs, logs, { properties, template });
  rmSync(logs, { recursive: true, force: true });
  cpSync(template, logs, { recursive: true });
  const meta = readFileSync(join(logs, META), 'utf8');
  writeFileSync(
    join(logs, META),
    meta.replace(/^(cluster|directory)\.id=.*$/gm, (_, of: string) => `${of}.id=${id()}`),
  );
}

const META = 'meta.properties';

/** It appears under its name only when it is whole. */
async function createTemplate(
  libs: string,
  logs: string,
  { properties, template }: { properties: string; template: string },
): Promise<void> {
  const tool = ['kafka.tools.StorageTool', 'format', `--cluster-id=${id()}`, '-c', properties];
  const { code, printout } = await runProgram('java', ['-cp', join(libs, '*'), ...tool]);
  if (code !== 0) throw new Error(`Kafka's storage could not be prepared:\n${printout.slice(-2_000)}`);
  const unfinished = `${template}.${String(process.pid)}.${id()}`;
  mkdirSync(unfinished);
  cpSync(logs, unfinished, { recursive: true });
  try {
    renameSync(unfinished, template);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another run was faster.
    if (!existsSync(template)) throw error;
  }
}

/** As Kafka writes its ids; one that begins with a hyphen would be read as an option. */
function id(): string {
  return `A${randomBytes(16).toString('base64url').slice(1)}`;
}
