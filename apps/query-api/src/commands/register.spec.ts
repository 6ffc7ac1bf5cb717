import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import { parse } from 'yaml';
import { configMap } from './register.ts';

const directory = mkdtempSync(join(tmpdir(), 'register-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('each registry that is to be deployed can be used, and becomes the config map that the query-api mounts', () => {
  const files = globSync('nais/*/konsumenter-*.yaml', { cwd: ROOT });
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const [, organisasjon = '', env = ''] = /^nais\/(.+)\/konsumenter-(.+)\.yaml$/.exec(file) ?? [];
    const coverage = join(ROOT, 'nais', organisasjon, 'dekning.yaml');
    const products = join(ROOT, 'nais', organisasjon, 'analyse.yaml');
    const made = parse(configMap(organisasjon, join(ROOT, file), coverage, products)) as {
      metadata: { name: string };
      data: object;
    };
    expect(made.data).toEqual({
      'konsumenter.yaml': readFileSync(join(ROOT, file), 'utf8'),
      'dekning.yaml': readFileSync(coverage, 'utf8'),
      'analyse.yaml': readFileSync(products, 'utf8'),
    });
    const manifest = parse(readFileSync(join(ROOT, 'nais', organisasjon, `query-api-${env}.yaml`), 'utf8')) as {
      spec: { filesFrom: object[] };
    };
    expect(manifest.spec.filesFrom).toEqual([{ configmap: made.metadata.name, mountPath: '/konfig' }]);
  }
});

test('one that can not be used makes none', () => {
  const file = join(directory, 'konsumenter.yaml');
  writeFileSync(file, '- navn: k\n  azp: a\n  behandlingsgrunnlag: []\n');
  expect(() => configMap('nav', file)).toThrow(/0\.behandlingsgrunnlag must NOT have fewer than 1 items/);
  expect(() => configMap('nav', join(directory, 'borte.yaml'))).toThrow(/can't be read \(ENOENT\)/);
});
