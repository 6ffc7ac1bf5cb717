import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { kjorProgram, lagArbeidsmappe, ROT } from '@tiltak/testing';
import { organisasjon } from './generator.ts';

type Tre = Parameters<typeof organisasjon>[0];

const { katalog, rydd } = lagArbeidsmappe('organisasjon');
beforeEach(() => rmSync(katalog, { recursive: true, force: true }));
afterAll(rydd);

/** A directory as Nx shows it to a generator, and what was written to it. */
function treI(rot: string): { tre: Tre; skrevet: string[] } {
  const skrevet: string[] = [];
  const les = (sti: string): string | null => {
    try {
      return readFileSync(join(rot, sti), 'utf8');
    } catch {
      return null;
    }
  };
  const tre: Partial<Tre> = {
    exists: (sti: string) => les(sti) !== null,
    read: ((sti: string) => les(sti)) as Tre['read'],
    write: (sti: string, innhold: Buffer | string) => {
      skrevet.push(sti);
      mkdirSync(dirname(join(rot, sti)), { recursive: true });
      writeFileSync(join(rot, sti), innhold);
    },
  };
  return { tre: tre as Tre, skrevet };
}

function lag(navn: string, topic?: string): string[] {
  const { tre, skrevet } = treI(katalog);
  organisasjon(tre, { navn, ...(topic === undefined ? {} : { topic }) });
  return skrevet;
}

const les = (sti: string): string => readFileSync(join(katalog, sti), 'utf8');
const yaml = (sti: string): Record<string, never> => parse(les(sti)) as Record<string, never>;

test('everything an organisation needs, for each environment, and nothing the second time', () => {
  const hva = ['konsumenter', 'database', 'topic', 'ingestor', 'query-api'];
  const filer = ['dev', 'prod'].flatMap((miljo) => hva.map((navn) => `nais/demo-fylke/${navn}-${miljo}.yaml`));
  expect(lag('demo-fylke')).toEqual([...filer, 'tools/lokal/organisasjoner/demo-fylke.yaml']);
  expect(lag('demo-fylke')).toEqual([]);
});

test('the parts of an organisation name each other, and no other organisation', () => {
  lag('demo-fylke');
  const mappe = 'nais/demo-fylke';
  for (const miljo of ['dev', 'prod']) {
    const topic = 'tiltak.datadeling-demo-fylke-avtaler';
    expect(yaml(`${mappe}/topic-${miljo}.yaml`)).toMatchObject({
      metadata: { name: 'datadeling-demo-fylke-avtaler', namespace: 'tiltak' },
      spec: { pool: `nav-${miljo}`, acl: [{ application: 'tiltak-datadeling-ingestor-demo-fylke' }] },
    });
    const database = yaml(`${mappe}/database-${miljo}.yaml`)['metadata']?.['name'];
    const ingestor = yaml(`${mappe}/ingestor-${miljo}.yaml`);
    expect(ingestor).toMatchObject({
      metadata: { name: 'tiltak-datadeling-ingestor-demo-fylke' },
      spec: { kafka: { pool: `nav-${miljo}` }, postgres: { clusterName: database } },
    });
    expect(ingestor['spec']?.['env']).toContainEqual({ name: 'KAFKA_TOPIC', value: topic });
    expect(yaml(`${mappe}/query-api-${miljo}.yaml`)).toMatchObject({ spec: { postgres: { clusterName: database } } });
    expect(yaml('tools/lokal/organisasjoner/demo-fylke.yaml')).toMatchObject({ topic });
  }
  expect(
    readdirSync(join(katalog, mappe))
      .map((fil) => les(`${mappe}/${fil}`))
      .join(''),
  ).not.toMatch(/-nav\b/);
});

test('nav is what the generator writes, and needs nothing more', () => {
  lag('nav', 'arbeidsgiver.tiltak-avtale-hendelse-compact');
  const filer = readdirSync(join(katalog, 'nais', 'nav'));
  expect(filer).toEqual(readdirSync(join(ROT, 'nais', 'nav')));
  expect(filer.filter((fil) => fil.startsWith('topic'))).toEqual([]);
  for (const fil of filer.filter((navn) => !/^(konsumenter|query-api)/.test(navn))) {
    expect(les(`nais/nav/${fil}`)).toBe(readFileSync(join(ROT, 'nais', 'nav', fil), 'utf8'));
  }
});

test('what somebody has changed stays, and the access policy follows the registry', () => {
  lag('demo-fylke');
  const [register, manifest] = ['nais/demo-fylke/konsumenter-dev.yaml', 'nais/demo-fylke/query-api-dev.yaml'];
  writeFileSync(join(katalog, manifest), les(manifest).replace('max: 3', 'max: 5'));
  writeFileSync(join(katalog, register), '- { navn: en-app, namespace: et-team }\n- { navn: naboen }\n');
  const inn = (): unknown => yaml(manifest)['spec']?.['accessPolicy'];

  expect(lag('demo-fylke')).toEqual([manifest]);
  expect(inn()).toEqual({
    inbound: { rules: [{ application: 'en-app', namespace: 'et-team' }, { application: 'naboen' }] },
  });
  expect(les(manifest)).toContain('max: 5');
  expect(lag('demo-fylke')).toEqual([]);

  writeFileSync(join(katalog, register), '[]\n');
  expect(lag('demo-fylke')).toEqual([manifest]);
  expect(inn()).toEqual({ inbound: { rules: [] } });
});

test.each([
  'Fylke',
  '',
  '-fylke',
  'fylke-',
  'et--fylke',
  'et fylke',
  'fylke_1',
  '../fylke',
  '1fylke',
  'x'.repeat(22),
  'ås',
])('%j is not the name of an organisation', (navn) => {
  expect(() => lag(navn)).toThrow(/^The name of an organisation must be lower case letters/);
});

test('a topic that is none, or another than the organisation has, is refused', () => {
  expect(() => lag('demo-fylke', 'a: b')).toThrow('--topic must be the name of a topic.');
  lag('demo-fylke', 'et.topic');
  expect(() => lag('demo-fylke', 'et.annet')).toThrow('demo-fylke has the topic et.topic already.');
});

test('a registry that is broken is named', () => {
  lag('demo-fylke');
  writeFileSync(join(katalog, 'nais/demo-fylke/konsumenter-prod.yaml'), '- navn: "x }"\n');
  expect(() => lag('demo-fylke')).toThrow(/^nais\/demo-fylke\/konsumenter-prod\.yaml must be a list of consumers/);
});

test('nx g organisasjon finds it', async () => {
  const nx = join(ROT, 'node_modules', '.bin', 'nx');
  const env = { ...process.env, NODE_OPTIONS: '', NX_DAEMON: 'false', NX_TUI: 'false', NO_COLOR: '1' };
  const kjor = (navn: string): ReturnType<typeof kjorProgram> =>
    kjorProgram(process.execPath, [nx, 'g', 'organisasjon', navn, '--dry-run'], { cwd: ROT, env });
  const ny = await kjor('proveorganisasjon');
  expect(ny).toMatchObject({
    kode: 0,
    utskrift: expect.stringContaining('CREATE nais/proveorganisasjon/topic-prod.yaml'),
  });
  const nav = await kjor('nav');
  expect([nav.kode, /CREATE|UPDATE|DELETE/.exec(nav.utskrift)]).toEqual([0, null]);
}, 120_000);
