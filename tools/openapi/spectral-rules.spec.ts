import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWorkDir, ROOT } from '@tiltak/testing';

const { directory, clean } = createWorkDir('regler');
afterAll(clean);

function brokenRules(file: string): string[] {
  const spectral = join(ROOT, 'node_modules', '.bin', 'spectral');
  const rules = join(ROOT, 'tools', 'openapi', 'spectral-rules.yaml');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [spectral, 'lint', file, '-r', rules, '-f', 'json', '--fail-severity', 'warn', '--quiet'],
    { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '' } },
  );
  if (!stdout.trim().startsWith('[')) throw new Error(stderr + stdout);
  return (JSON.parse(stdout) as { code: string }[]).map(({ code }) => code);
}

const DOCUMENT = join(ROOT, 'apps', 'query-api', 'openapi.json');

test('the published document keeps the rules', () => {
  expect(brokenRules(DOCUMENT)).toEqual([]);
}, 60_000);

test('each rule sees what breaks it', () => {
  const document = JSON.parse(readFileSync(DOCUMENT, 'utf8'));
  const { paths, components } = document;
  const search = paths['/api/v1/avtaler/sok'].post;
  search.operationId = 'sok_avtaler';
  delete search.summary;
  search.tags = [];
  delete search.responses['429'];
  search.responses['400'].content = { 'application/json': {} };
  delete search.responses['200'].headers['Nav-Call-Id'];
  const { Avtale, Opphav } = components.schemas;
  Avtale.properties.fodselsår = { type: 'string', description: 'x' };
  delete Avtale.properties.versjon.description;
  Avtale.properties.bedriftNavn.enum = ['A'];
  Opphav.enum = Opphav.enum.filter((value: string) => value !== 'UKJENT');
  Avtale.properties.sistEndret.example = 17;
  const file = join(directory, 'brutt.json');
  writeFileSync(file, JSON.stringify(document));
  expect(new Set(brokenRules(file))).toEqual(
    new Set([
      ...['operationId-navn', 'operasjon-har-sammendrag', 'operasjon-har-tag', 'felles-feil-er-med', 'feil-er-problem'],
      ...['svar-har-kall-id', 'feltnavn', 'felt-har-beskrivelse', 'enum-har-navn', 'enum-har-ukjent'],
      'oas3-valid-schema-example',
    ]),
  );
}, 60_000);
