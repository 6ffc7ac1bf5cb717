import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { runProgram, createWorkDir, ROOT } from '@tiltak/testing';
import { organisasjon } from './generator.ts';

type Tree = Parameters<typeof organisasjon>[0];

const { directory, clean } = createWorkDir('organisasjon');
beforeEach(() => rmSync(directory, { recursive: true, force: true }));
afterAll(clean);

/** A directory as Nx shows it to a generator, and what was written to it. */
function treeIn(root: string): { tree: Tree; written: string[] } {
  const written: string[] = [];
  const read = (path: string): string | null => {
    try {
      return readFileSync(join(root, path), 'utf8');
    } catch {
      return null;
    }
  };
  const tree: Partial<Tree> = {
    exists: (path: string) => read(path) !== null,
    children: (path: string) => readdirSync(join(root, path)).sort(),
    read: ((path: string) => read(path)) as Tree['read'],
    write: (path: string, content: Buffer | string) => {
      if (!written.includes(path)) written.push(path);
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    },
  };
  return { tree: tree as Tree, written };
}

function create(name: string, topic?: string): string[] {
  const { tree, written } = treeIn(directory);
  organisasjon(tree, { navn: name, ...(topic === undefined ? {} : { topic }) });
  return written;
}

const read = (path: string): string => readFileSync(join(directory, path), 'utf8');
const yaml = (path: string): Record<string, never> => parse(read(path)) as Record<string, never>;

test('everything an organisation needs, for each environment, and nothing the second time', () => {
  const what = ['konsumenter', 'migrering', 'topic', 'trigger-topic', 'ingestor', 'query-api', 'revisor', 'adapter'];
  const files = ['dev', 'prod'].flatMap((env) => what.map((name) => `nais/demo-fylke/${name}-${env}.yaml`));
  expect(create('demo-fylke')).toEqual([
    'nais/demo-fylke/analyse.yaml',
    ...files,
    'nais/demo-fylke/dekning.yaml',
    'tools/local/organisasjoner/demo-fylke.yaml',
  ]);
  expect(create('demo-fylke')).toEqual([]);
});

test('the parts of an organisation name each other, and no other organisation', () => {
  create('demo-fylke');
  const dir = 'nais/demo-fylke';
  for (const env of ['dev', 'prod']) {
    const topic = 'tiltak.datadeling-demo-fylke-avtaler';
    expect(yaml(`${dir}/topic-${env}.yaml`)).toMatchObject({
      metadata: { name: 'datadeling-demo-fylke-avtaler', namespace: 'tiltak' },
      spec: { pool: `nav-${env}`, acl: [{ application: 'tiltak-datadeling-ingestor-demo-fylke' }] },
    });
    // The owner's login is the job's alone: it comes with the instance, and the apps are given one each.
    expect(yaml(`${dir}/migrering-${env}.yaml`)).toMatchObject({
      kind: 'Naisjob',
      metadata: { name: 'tiltak-datadeling-migrering-demo-fylke' },
      spec: {
        command: [...['node', '--enable-source-maps'], 'main.cjs', 'migrer'],
        gcp: {
          sqlInstances: [
            {
              name: 'tiltak-datadeling-demo-fylke',
              databases: [{ name: 'tiltak_demo_fylke', envVarPrefix: 'DB' }],
            },
          ],
        },
      },
    });
    const ingestor = yaml(`${dir}/ingestor-${env}.yaml`);
    expect(ingestor).toMatchObject({
      metadata: { name: 'tiltak-datadeling-ingestor-demo-fylke' },
      spec: { kafka: { pool: `nav-${env}` } },
    });
    expect(ingestor['spec']?.['env']).toContainEqual({ name: 'KAFKA_TOPIC', value: topic });
    const triggers = { name: 'TRIGGER_TOPIC', value: 'tiltak.datadeling-demo-fylke-avtale-endret' };
    expect(ingestor['spec']?.['env']).toContainEqual(triggers);
    expect(yaml(`${dir}/trigger-topic-${env}.yaml`)).toMatchObject({
      metadata: { name: 'datadeling-demo-fylke-avtale-endret', namespace: 'tiltak' },
      spec: { acl: [{ application: 'tiltak-datadeling-ingestor-demo-fylke', access: 'write' }] },
    });
    expect(ingestor['spec']?.['env']).toContainEqual({ name: 'ADAPTER_KAN_SKRIVE', value: 'ja' });
    const secrets = (app: string): unknown => yaml(`${dir}/${app}-${env}.yaml`)['spec']?.['envFrom'];
    const key = { secret: 'tiltak-datadeling-demo-fylke-noekkel' };
    expect(secrets('ingestor')).toEqual([key, { secret: 'tiltak-datadeling-demo-fylke-ingestor-db' }]);
    const cursors = { secret: 'tiltak-datadeling-demo-fylke-markoer' };
    expect(secrets('query-api')).toEqual([key, cursors, { secret: 'tiltak-datadeling-demo-fylke-query-api-db' }]);
    expect(secrets('migrering')).toBeUndefined();
    expect(yaml('tools/local/organisasjoner/demo-fylke.yaml')).toMatchObject({ topic, adapter: 'ja' });
  }
  expect(
    readdirSync(join(directory, dir))
      .map((file) => read(`${dir}/${file}`))
      .join(''),
  ).not.toMatch(/-nav\b/);
});

test('the page of auditors has a login, a group and a place of its own, and no application calls it', () => {
  create('demo-fylke');
  for (const env of ['dev', 'prod']) {
    const { spec } = yaml(`nais/demo-fylke/revisor-${env}.yaml`) as unknown as { spec: Record<string, unknown> };
    expect(spec).toMatchObject({
      command: [...['node', '--enable-source-maps', '--max-old-space-size=256'], 'main.cjs', 'revisor'],
      ...{ replicas: { min: 1, max: 1 }, accessPolicy: { inbound: { rules: [] }, outbound: { rules: [] } } },
      azure: { application: { allowAllUsers: false, claims: { groups: [{ id: '{{revisorgruppe}}' }] } } },
    });
    expect(spec['envFrom']).toEqual(
      ['noekkel', 'revisor-db'].map((what) => ({ secret: `tiltak-datadeling-demo-fylke-${what}` })),
    );
    expect(spec['env']).toContainEqual({ name: 'REVISOR_GRUPPER', value: '{{revisorgruppe}}' });
    const others = ['ingestor', 'query-api'].map((app) => read(`nais/demo-fylke/${app}-${env}.yaml`)).join('');
    expect(others).not.toContain('revisor');
    const disk = /diskSize: (\d+)/.exec(read(`nais/demo-fylke/migrering-${env}.yaml`))?.[1];
    expect(others).toContain(`{ name: DB_PLASS_GB, value: '${String(disk)}' }`);
  }
});

test('nav is what the generator writes, and needs nothing more', () => {
  create('nav', 'arbeidsgiver.tiltak-avtale-hendelse-compact');
  const files = readdirSync(join(directory, 'nais', 'nav'));
  expect(files).toEqual(readdirSync(join(ROOT, 'nais', 'nav')));
  expect(files.filter((file) => file.startsWith('topic'))).toEqual([]);
  for (const file of files.filter((name) => !/^(konsumenter|dekning|analyse\.)/.test(name))) {
    expect(read(`nais/nav/${file}`)).toBe(readFileSync(join(ROOT, 'nais', 'nav', file), 'utf8'));
  }
});

test('people log in to the page of those on duty, and what is called with a token is let by', () => {
  create('demo-fylke');
  for (const env of ['dev', 'prod']) {
    const spec = yaml(`nais/demo-fylke/ingestor-${env}.yaml`)['spec'] as unknown as {
      ingresses: string[];
      azure: { application: unknown; sidecar: { autoLoginIgnorePaths: string[] } };
      env: { name: string; value: string }[];
    };
    // The path is that of the cookie too.
    expect(spec.ingresses.map((address) => new URL(address).pathname)).toEqual(['/drift', '/adapter']);
    const { application, sidecar } = spec.azure;
    expect(sidecar).toMatchObject({ enabled: true, autoLogin: true });
    expect(sidecar.autoLoginIgnorePaths.filter((path) => path.startsWith('/drift'))).toEqual([]);
    expect(application).toMatchObject({ allowAllUsers: false, claims: { groups: [{ id: '{{driftsgruppe}}' }] } });
    expect(spec.env).toContainEqual({ name: 'DRIFT_GRUPPER', value: '{{driftsgruppe}}' });
  }
});

test('the applications of the adapter reach its API, and nobody does where no adapter may write', () => {
  create('demo-fylke');
  const [list, manifest] = ['nais/demo-fylke/adapter-dev.yaml', 'nais/demo-fylke/ingestor-dev.yaml'];
  const own = { application: 'tiltak-datadeling-ingestor-demo-fylke' };
  const outbound = { rules: [own] };
  expect(yaml(manifest)['spec']?.['accessPolicy']).toEqual({ inbound: { rules: [own] }, outbound });
  writeFileSync(join(directory, list), '- { navn: fylkets-adapter, namespace: fylke }\n');
  expect(create('demo-fylke')).toEqual([manifest]);
  const rules = [own, { application: 'fylkets-adapter', namespace: 'fylke' }];
  expect(yaml(manifest)['spec']?.['accessPolicy']).toEqual({ inbound: { rules }, outbound });
  expect(create('demo-fylke')).toEqual([]);

  create('et-fylke', 'fylke.avtaler');
  const spec = yaml('nais/et-fylke/ingestor-dev.yaml')['spec'] as unknown as { ingresses: string[] };
  expect(spec.ingresses).toHaveLength(1);
});

test('the ingestors of all organisations know each other, and are let in to what is asked without logging in', () => {
  create('et-fylke', 'fylke.avtaler');
  const written = create('demo-fylke');
  expect(written).toEqual(expect.arrayContaining(['nais/et-fylke/ingestor-dev.yaml']));
  const rules = ['demo-fylke', 'et-fylke'].map((name) => ({ application: `tiltak-datadeling-ingestor-${name}` }));
  for (const name of ['demo-fylke', 'et-fylke']) {
    const spec = yaml(`nais/${name}/ingestor-prod.yaml`)['spec'] as unknown as {
      accessPolicy: unknown;
      azure: { sidecar: { autoLoginIgnorePaths: string[] } };
      env: { name: string; value: string }[];
    };
    expect(spec.accessPolicy).toEqual({ inbound: { rules }, outbound: { rules } });
    expect(spec.azure.sidecar.autoLoginIgnorePaths).toContain('/internal/tilstand');
    expect(spec.env).toContainEqual({
      name: 'DRIFT_ORGANISASJONER',
      value: ['demo-fylke', 'et-fylke']
        .map((one) => `${one}=http://tiltak-datadeling-ingestor-${one}|https://tiltak-datadeling-${one}.intern.nav.no`)
        .join(','),
    });
    expect(spec.env).toContainEqual({ name: 'AVSTEMMING_HVER_TIMER', value: '24' });
  }
  expect(create('demo-fylke')).toEqual([]);
});

test('the platform takes the manifests: each is as the schema of its kind says, down to the last name', () => {
  create('demo-fylke');
  writeFileSync(join(directory, 'nais/demo-fylke/analyse.yaml'), '- produkt: deltakelse\n');
  expect(create('demo-fylke')).toEqual(['dev', 'prod'].map((env) => `nais/demo-fylke/analyse-deltakelse-${env}.yaml`));
  create('et-fylke', 'fylke.avtaler');
  const schemas = JSON.parse(readFileSync(join(import.meta.dirname, 'nais-schemas.json'), 'utf8')) as Record<
    string,
    object
  >;
  const ajv = new Ajv({ allErrors: true, strict: false, unicodeRegExp: false });
  const kinds = new Set<string>();
  for (const file of globSync('nais/*/*.yaml', { cwd: directory })) {
    const { kind, spec } = yaml(file) as { kind?: string; spec?: unknown };
    if (kind === undefined) continue;
    kinds.add(kind);
    const validate = ajv.compile(schemas[kind] ?? {});
    expect([file, validate(spec), validate.errors]).toEqual([file, true, null]);
  }
  expect([...kinds].sort()).toEqual(Object.keys(schemas).sort());
  expect(
    ajv.compile(schemas['Application'] ?? {})({
      ...(yaml('nais/et-fylke/query-api-dev.yaml')['spec'] as unknown as object),
      readyness: {},
    }),
  ).toBe(false);
});

test('a process has the time to stop that it takes', () => {
  create('demo-fylke');
  const frame = readFileSync(join(ROOT, 'libs', 'platform', 'src', 'run-app.ts'), 'utf8');
  const maxShutdownMs = Number(/MAX_SHUTDOWN_MS = ([\d_]+)/.exec(frame)?.[1]?.replace('_', ''));
  expect(maxShutdownMs).toBeGreaterThan(0);
  for (const app of ['ingestor', 'query-api']) {
    const spec = yaml(`nais/demo-fylke/${app}-prod.yaml`)['spec'] as unknown as {
      preStopHook: { exec: { command: [string, string] } };
      terminationGracePeriodSeconds: number;
      replicas: { min: number };
    };
    const [, seconds] = spec.preStopHook.exec.command;
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(Number(seconds) + maxShutdownMs / 1_000);
    // One can be taken away: the platform makes a disruption budget of it.
    expect(spec.replicas.min).toBeGreaterThan(1);
  }
});

test('where a source publishes to the topic itself, no adapter may write to it', () => {
  create('et-fylke', 'fylke.avtaler');
  expect(yaml('nais/et-fylke/ingestor-prod.yaml')['spec']?.['env']).toContainEqual({
    name: 'ADAPTER_KAN_SKRIVE',
    value: 'nei',
  });
  expect(yaml('tools/local/organisasjoner/et-fylke.yaml')).toMatchObject({ adapter: 'nei' });
});

test('what somebody has changed stays, and the access policy follows the registry', () => {
  create('demo-fylke');
  const [registry, manifest] = ['nais/demo-fylke/konsumenter-dev.yaml', 'nais/demo-fylke/query-api-dev.yaml'];
  writeFileSync(join(directory, manifest), read(manifest).replace('max: 3', 'max: 5'));
  writeFileSync(join(directory, registry), '- { navn: en-app, namespace: et-team }\n- { navn: naboen }\n');
  const input = (): unknown => yaml(manifest)['spec']?.['accessPolicy'];

  expect(create('demo-fylke')).toEqual([manifest]);
  expect(input()).toEqual({
    inbound: { rules: [{ application: 'en-app', namespace: 'et-team' }, { application: 'naboen' }] },
  });
  expect(read(manifest)).toContain('max: 5');
  expect(create('demo-fylke')).toEqual([]);

  writeFileSync(join(directory, registry), '[]\n');
  expect(create('demo-fylke')).toEqual([manifest]);
  expect(input()).toEqual({ inbound: { rules: [] } });
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
])('%j is not the name of an organisation', (name) => {
  expect(() => create(name)).toThrow(/^The name of an organisation must be lower case letters/);
});

test('a topic that is none, or another than the organisation has, is refused', () => {
  expect(() => create('demo-fylke', 'a: b')).toThrow('--topic must be the name of a topic.');
  create('demo-fylke', 'et.topic');
  expect(() => create('demo-fylke', 'et.annet')).toThrow('demo-fylke has the topic et.topic already.');
});

test('a registry that is broken is named', () => {
  create('demo-fylke');
  writeFileSync(join(directory, 'nais/demo-fylke/konsumenter-prod.yaml'), '- navn: "x }"\n');
  expect(() => create('demo-fylke')).toThrow(
    /^nais\/demo-fylke\/konsumenter-prod\.yaml must be a list, each with navn/,
  );
});

test('nx g organisasjon finds it', async () => {
  const nx = join(ROOT, 'node_modules', '.bin', 'nx');
  const env = { ...process.env, NODE_OPTIONS: '', NX_DAEMON: 'false', NX_TUI: 'false', NO_COLOR: '1' };
  const run = (name: string): ReturnType<typeof runProgram> =>
    runProgram(process.execPath, [nx, 'g', 'organisasjon', name, '--dry-run'], { cwd: ROOT, env });
  const incoming = await run('proveorganisasjon');
  expect(incoming).toMatchObject({
    code: 0,
    printout: expect.stringContaining('CREATE nais/proveorganisasjon/topic-prod.yaml'),
  });
  const nav = await run('nav');
  expect([nav.code, /CREATE|UPDATE|DELETE/.exec(nav.printout)]).toEqual([0, null]);
}, 120_000);

test('another organisation gets the scope of Maskinporten, an address outside and nothing else, and loses them again', () => {
  create('demo-fylke');
  const files = { konsumenter: 'nais/demo-fylke/konsumenter-dev.yaml', adapter: 'nais/demo-fylke/adapter-dev.yaml' };
  const manifests = ['nais/demo-fylke/query-api-dev.yaml', 'nais/demo-fylke/ingestor-dev.yaml'];
  const before = manifests.map(read);
  const org = "organisasjonsnummer: '310100005', leverandoerer: ['310101370']";
  writeFileSync(join(directory, files.konsumenter), `- { navn: app }\n- { navn: kommune, ${org} }\n`);
  writeFileSync(join(directory, files.adapter), `- { navn: fylkets-adapter, ${org} }\n`);
  expect(create('demo-fylke').sort()).toEqual([...manifests].sort());
  expect(create('demo-fylke')).toEqual([]);
  const schemas = JSON.parse(readFileSync(join(import.meta.dirname, 'nais-schemas.json'), 'utf8')) as Record<
    string,
    object
  >;
  for (const [file, what, path, name] of [
    ['query-api', 'les', 'tiltak-datadeling-api-demo-fylke.ekstern.dev.nav.no/api', 'kommune'],
    ['ingestor', 'adapter', 'tiltak-datadeling-demo-fylke.ekstern.dev.nav.no/adapter', 'fylkets-adapter'],
  ] as const) {
    const { spec } = yaml(`nais/demo-fylke/${file}-dev.yaml`) as unknown as { spec: Record<string, unknown> };
    expect(spec['maskinporten']).toMatchObject({
      enabled: true,
      scopes: {
        exposes: [
          {
            ...{ product: 'tiltak', separator: '/', name: `demofylke.${what}`, allowedIntegrations: ['maskinporten'] },
            ...{ delegationSource: 'altinn', consumers: [{ orgno: '310100005', name }] },
          },
        ],
      },
    });
    expect(spec['ingresses']).toContain(`https://${path}`);
    expect(spec['env']).toEqual(
      expect.arrayContaining([
        { name: 'MASKINPORTEN_AUDIENCE', value: `https://${path}` },
        { name: 'MASKINPORTEN_SCOPE', value: `nav:tiltak/demofylke.${what}` },
      ]),
    );
    const validate = new Ajv({ strict: false, unicodeRegExp: false }).compile(schemas['Application'] ?? {});
    expect([validate(spec), validate.errors]).toEqual([true, null]);
    expect(JSON.stringify((spec['accessPolicy'] as object) ?? {})).not.toContain(name);
  }
  const { spec } = yaml('nais/demo-fylke/ingestor-dev.yaml') as unknown as { spec: { env: unknown[] } };
  expect(spec.env).toContainEqual({ name: 'MASKINPORTEN_ORGANISASJONSNUMMER', value: '310100005' });
  expect(spec.env).toContainEqual({ name: 'MASKINPORTEN_LEVERANDOERER', value: '310101370' });

  writeFileSync(join(directory, files.konsumenter), '[]\n');
  writeFileSync(join(directory, files.adapter), '[]\n');
  create('demo-fylke');
  expect(manifests.map(read)).toEqual(before);
});

test.each([
  ['a number that is not in quotes', '- { navn: kommune, organisasjonsnummer: 310100005 }'],
  ['suppliers of an application', "- { navn: app, leverandoerer: ['310100005'] }"],
])('%s is refused', (_, line) => {
  create('demo-fylke');
  writeFileSync(join(directory, 'nais/demo-fylke/konsumenter-dev.yaml'), `${line}\n`);
  expect(() => create('demo-fylke')).toThrow(/konsumenter-dev.yaml must be a list/);
});
