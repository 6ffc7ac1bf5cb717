import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEvents } from '@tiltak/simulator';
import { parseMessage } from '@tiltak/avtale';
import { ROOT } from '@tiltak/testing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { IngestorModule } from '../ingestor.module.ts';
import { openApiText } from '../openapi.ts';
import { asyncApiText } from './document.ts';

const FILE = join(ROOT, 'apps', 'ingestor', 'asyncapi.yaml');
const text = readFileSync(FILE, 'utf8');
const { components } = parse(text) as {
  components: { schemas: Record<string, object>; messages: Record<string, { examples?: { payload: object }[] }> };
};
const ajv = new Ajv2020({ strict: false, validateFormats: false });
const validator = (name: string): ReturnType<typeof ajv.compile> => ajv.compile(components.schemas[name] ?? {});

test('is what the code says: npm run openapi', async () => {
  expect(text).toBe(asyncApiText(await openApiText(IngestorModule.with())));
});

test('is AsyncAPI 3, as its own rules have it', () => {
  const spectral = join(ROOT, 'node_modules', '.bin', 'spectral');
  const rules = join(ROOT, 'tools', 'openapi', 'asyncapi-rules.yaml');
  const lint = (input: string): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [spectral, 'lint', '-r', rules, '-f', 'json', '--quiet', '--fail-severity', 'warn'], {
      encoding: 'utf8',
      input,
      env: { PATH: process.env['PATH'] ?? '' },
    });
  const { stdout, stderr, status } = lint(text);
  expect({ stdout: String(stdout).trim(), stderr, status }).toEqual({ stdout: '[]', stderr: '', status: 0 });
  expect(lint(text.replace('action: send', 'action: publish')).status).toBe(1);
}, 60_000);

test('its examples are what it says of them', () => {
  const examples = Object.entries({ avtale: 'Avtale', trigger: 'Trigger' }).map(([message, schema]) => {
    const isValid = validator(schema);
    return (components.messages[message]?.examples ?? []).map(({ payload }) => isValid(payload));
  });
  expect(examples).toEqual([[true], [true]]);
});

test('whatever the source sends, what fits the document is read, and what is read fits it', () => {
  const isValid = validator('Avtale');
  const differing = [...createEvents({ count: 3_000, seed: 48 })].flatMap(({ key, value }) => {
    if (value === null) return [];
    const parsed = parseMessage(Buffer.from(key ?? ''), Buffer.from(value));
    const content = safeJson(value.toString());
    // The form of times, and what the key must be, is not the schema's to say.
    if (!parsed.ok && !/type|text|number|object/.test(parsed.reason.reason)) return [];
    return parsed.ok === isValid(content) ? [] : [{ parsed, errors: isValid.errors }];
  });
  expect(differing).toEqual([]);
});

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
