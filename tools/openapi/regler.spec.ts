import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lagArbeidsmappe, ROT } from '@tiltak/testing';

const { katalog, rydd } = lagArbeidsmappe('regler');
afterAll(rydd);

function brutteRegler(fil: string): string[] {
  const spectral = join(ROT, 'node_modules', '.bin', 'spectral');
  const regler = join(ROT, 'tools', 'openapi', 'regler.yaml');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [spectral, 'lint', fil, '-r', regler, '-f', 'json', '--fail-severity', 'warn', '--quiet'],
    { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '' } },
  );
  if (!stdout.trim().startsWith('[')) throw new Error(stderr + stdout);
  return (JSON.parse(stdout) as { code: string }[]).map(({ code }) => code);
}

const DOKUMENT = join(ROT, 'apps', 'query-api', 'openapi.json');

test('the published document keeps the rules', () => {
  expect(brutteRegler(DOKUMENT)).toEqual([]);
}, 60_000);

test('each rule sees what breaks it', () => {
  const dokument = JSON.parse(readFileSync(DOKUMENT, 'utf8'));
  const { paths, components } = dokument;
  const sok = paths['/api/v1/avtaler/sok'].post;
  sok.operationId = 'sok_avtaler';
  delete sok.summary;
  sok.tags = [];
  delete sok.responses['429'];
  sok.responses['400'].content = { 'application/json': {} };
  delete sok.responses['200'].headers['Nav-Call-Id'];
  const { Avtale, Opphav } = components.schemas;
  Avtale.properties.fodselsår = { type: 'string', description: 'x' };
  delete Avtale.properties.versjon.description;
  Avtale.properties.bedriftNavn.enum = ['A'];
  Opphav.enum = Opphav.enum.filter((verdi: string) => verdi !== 'UKJENT');
  Avtale.properties.sistEndret.example = 17;
  const fil = join(katalog, 'brutt.json');
  writeFileSync(fil, JSON.stringify(dokument));
  expect(new Set(brutteRegler(fil))).toEqual(
    new Set([
      ...['operationId-navn', 'operasjon-har-sammendrag', 'operasjon-har-tag', 'felles-feil-er-med', 'feil-er-problem'],
      ...['svar-har-kall-id', 'feltnavn', 'felt-har-beskrivelse', 'enum-har-navn', 'enum-har-ukjent'],
      'oas3-valid-schema-example',
    ]),
  );
}, 60_000);
