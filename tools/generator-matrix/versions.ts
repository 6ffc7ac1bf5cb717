import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GENERATORS } from './generators.ts';
import { CLIENTS } from './workshop.ts';

/** The pinned version of each generator, from where it is pinned. */
export function readVersions(): Record<string, string> {
  const read = (...path: string[]): string => readFileSync(join(CLIENTS, ...path), 'utf8');
  const openApiGenerator = /<openapi-generator.version>([^<]+)/.exec(read('pom.xml'))?.[1] ?? '';
  const { dependencies } = JSON.parse(read('typescript', 'package.json')) as { dependencies: Record<string, string> };
  const python = /^openapi-python-client==(.+)$/m.exec(read('python', 'requirements.txt'))?.[1] ?? '';
  const others: Record<string, string | undefined> = {
    'hey-api': dependencies['@hey-api/openapi-ts'],
    orval: dependencies['orval'],
    'openapi-python-client': python,
  };
  return Object.fromEntries(GENERATORS.map(({ name }) => [name, others[name] ?? openApiGenerator]));
}
