import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '@tiltak/testing';
import { environmentFor, type Surroundings } from '../local/apps.ts';

/** There is no Docker where the tests run: what can be seen without. */
const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), 'utf8');
const APPS = readdirSync(join(ROOT, 'apps')).sort();
const INSTRUCTIONS = read('Dockerfile')
  .split('\n')
  .filter((line) => /^[A-Z]+ /.test(line));
const argumentsOf = (name: string): string[] =>
  INSTRUCTIONS.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
const STAGES = argumentsOf('FROM').flatMap((from) => / AS (\S+)$/.exec(from)?.[1] ?? []);

test('everything that it copies exists', () => {
  const copies = argumentsOf('COPY').map((copy) => copy.split(' ').slice(0, -1));
  expect(copies.length).toBeGreaterThan(3);
  for (const [from, ...sources] of copies) {
    if (from?.startsWith('--from=')) expect(STAGES).toContain(from.slice('--from='.length));
    else for (const source of [from, ...sources]) expect(existsSync(join(ROOT, source ?? 'nothing'))).toBe(true);
  }
});

test('every app has a stage, which its name as an argument chooses', () => {
  expect(STAGES).toEqual(expect.arrayContaining(APPS));
  expect(argumentsOf('FROM').at(-1)).toBe('${APP}');
  expect(APPS).toContain(argumentsOf('ARG')[0]?.replace('APP=', ''));
  for (const command of argumentsOf('CMD')) expect(JSON.parse(command)).toEqual(expect.arrayContaining(['main.cjs']));
});

test('the ingestor, and only it, runs with little memory', () => {
  const stage = (name: string): string => read('Dockerfile').split(`AS ${name}\n`)[1]?.split('\nFROM ')[0] ?? '';
  expect(stage('ingestor')).toContain('ENV MALLOC_ARENA_MAX=1\n');
  expect(stage('ingestor')).toContain('"--max-semi-space-size=8", "--max-old-space-size=192"');
  expect(stage('query-api')).toContain('"--max-old-space-size=256"');
  expect(stage('query-api')).not.toMatch(/MALLOC|max-semi/);
});

test('an app is compiled beforehand with the options that it runs with, on which that depends', () => {
  const commands = argumentsOf('CMD').map((command) => (JSON.parse(command) as string[]).join(' '));
  const compiled = argumentsOf('RUN').filter((run) => run.startsWith('node '));
  expect(commands).toHaveLength(APPS.length);
  expect(compiled.sort()).toEqual(commands.map((command) => `${command} openapi > /dev/null`).sort());
});

describe('compose', () => {
  const { services } = parse(read('docker-compose.yml'), { merge: true }) as {
    services: Record<
      string,
      { build?: unknown; volumes?: string[]; command?: string[]; environment?: Record<string, string> }
    >;
  };

  test('builds both apps and the token issuer from it', () => {
    const built = Object.entries(services).filter(([, { build }]) => build !== undefined);
    // The migrations are a command of the ingestor's image, and the page of auditors one of the query-api's.
    const commands: Record<string, string> = { migrering: 'ingestor', revisor: 'query-api' };
    expect(built.map(([name, { build }]) => [name, build]).sort()).toEqual(
      [...APPS, 'issuer', ...Object.keys(commands)]
        .sort()
        .map((name) => [name, { context: '.', args: { APP: commands[name] ?? name } }]),
    );
    expect(STAGES).toContain('issuer');
    const mounted = Object.values(services).flatMap(({ volumes = [] }) =>
      volumes.map((volume) => volume.split(':')[0]),
    );
    for (const file of mounted) expect([file, existsSync(join(ROOT, file ?? 'nothing'))]).toEqual([file, true]);
    expect(services['revisor']?.command?.slice(0, -1)).toEqual(
      argumentsOf('CMD')
        .map((command) => JSON.parse(command) as string[])
        .find((words) => words.includes('--max-old-space-size=256')),
    );
  });

  const environment = (service: string): Record<string, string> => services[service]?.environment ?? {};
  const login = (name: string): { username: string; password: string } => ({
    username: `nav_${name}`,
    password: 'lokal',
  });
  const setup = parse(read('tools', 'local', 'organisasjoner', 'nav.yaml')) as Record<string, string>;
  const surroundings: Surroundings = {
    organisasjon: 'nav',
    database: {
      ...{ host: 'postgres', port: 5432, database: 'tiltak_nav', url: '' },
      ...{ migrering: login('migrering'), ingestor: login('ingestor') },
      ...{ queryApi: login('query_api'), revisor: login('revisor') },
    },
    brokers: 'kafka:9092',
    ...{ topic: setup['topic'] ?? '', identTopic: setup['identTopic'] },
    ...{ virksomhetTopic: 'nav.virksomheter', triggerTopic: 'nav.avtale-endret' },
    adapterMayWrite: 'nei',
    ...{ issuer: 'http://issuer:8090', jwksUri: 'http://issuer:8090/jwks' },
    deltakerIdKey: environment('ingestor')['DELTAKER_ID_NOEKKEL'] ?? '',
    ...{ konsumenter: '/konfig/konsumenter.yaml', dekning: '/konfig/dekning.yaml' },
    analyse: '/konfig/analyse.yaml',
  };

  test.each(['ingestor', 'query-api', 'revisor'] as const)('tells the %s what npm start does', (name) => {
    const told = environment(name);
    expect(told).toMatchObject(environmentFor[name](surroundings));
    // And nothing that the app does not read.
    const settings = read('apps', name === 'ingestor' ? name : 'query-api', 'settings.md');
    expect(Object.keys(told).filter((variable) => !settings.includes(`\`${variable}\``))).toEqual([]);
    // Its issuer is another machine: this, and only here, lets it be asked without https.
    expect(told['LOKAL_UTSTEDER']).toBe('issuer');
  });

  test('makes the topics that the ingestor reads and writes, and the logins of all', () => {
    const made = services['topics']?.command?.join(' ') ?? '';
    const topics = Object.entries(environment('ingestor')).filter(([name]) => name.endsWith('_TOPIC'));
    expect(topics).toHaveLength(4);
    for (const [, topic] of topics) expect(made).toContain(` ${topic}`);
    const roles = read('tools', 'local', 'compose', 'roles.sql');
    for (const service of ['migrering', 'ingestor', 'query-api', 'revisor'])
      expect(roles).toContain(`create role ${environment(service)['DB_USERNAME'] ?? '?'} login `);
  });

  test('is the only place that names a host whose issuer is asked without https', () => {
    const manifests = globSync('nais/**/*.yaml', { cwd: ROOT });
    expect(manifests.length).toBeGreaterThan(10);
    expect(['Dockerfile', ...manifests].filter((file) => read(file).includes('LOKAL_UTSTEDER'))).toEqual([]);
  });
});

test('the workflow builds both apps from it', () => {
  const { jobs } = parse(read('.github', 'workflows', 'image.yml')) as {
    jobs: {
      build: { strategy: { matrix: { app: string[] } }; steps: { uses?: string; with?: Record<string, string> }[] };
    };
  };
  expect(jobs.build.strategy.matrix.app.sort()).toEqual(APPS);
  const image = jobs.build.steps.find(({ uses }) => uses?.startsWith('nais/docker-build-push@'));
  expect(image?.with).toMatchObject({
    image_suffix: '${{ matrix.app }}',
    docker_context: '.',
    build_args: 'APP=${{ matrix.app }}',
  });
  expect(image?.with).not.toHaveProperty('dockerfile');
});

test('every path of ours that a workflow names exists', () => {
  const names = readdirSync(join(ROOT, '.github', 'workflows')).map((file) => read('.github', 'workflows', file));
  const paths = [...names, read('.github', 'dependabot.yml')].flatMap(
    // What is built is not there in a checkout.
    (text) => text.match(/(?<!dist\/)\b(?:apps|libs|tools|clients)\/[\w./-]+/g) ?? [],
  );
  expect(paths.length).toBeGreaterThan(3);
  for (const path of paths) expect([path, existsSync(join(ROOT, path))]).toEqual([path, true]);
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const commands = names.flatMap((text) => [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? ''));
  const { jobs } = parse(read('.github', 'workflows', 'nightly.yml')) as {
    jobs: { test: { strategy: { matrix: { run: string[] } } } };
  };
  const nightly = jobs.test.strategy.matrix.run;
  expect([commands.length > 0, nightly.length > 2]).toEqual([true, true]);
  expect([...commands, ...nightly].filter((name) => !(name in scripts))).toEqual([]);
});
