import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { ROOT } from '@tiltak/testing';

/** What the apps are built from and by whom: nothing that somebody outside can change without a change here. */
interface Job {
  needs?: string | string[];
  uses?: string;
  permissions?: Record<string, string>;
  steps?: { id?: string; uses?: string; run?: string }[];
}
interface Workflow {
  on: Record<string, unknown>;
  permissions?: Record<string, string>;
  concurrency?: { group: string };
  jobs: Record<string, Job>;
}

const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), 'utf8');
const WORKFLOWS = readdirSync(join(ROOT, '.github', 'workflows'));
const workflow = (file: string): Workflow => parse(read('.github', 'workflows', file)) as Workflow;
const jobsOf = (file: string): Job[] => Object.values(workflow(file).jobs);

/** Jobs that log in: to the registry of images, or to the platform. */
const LOGGING_IN: Record<string, string[]> = {
  'image.yml': ['build', 'dev', 'prod'],
  'deploy.yml': ['deploy'],
  'register.yml': ['deploy'],
  'publish.yml': ['npm'],
};
/** Jobs that put something in the packages of the repository, by the token that they have anyway. */
const PACKAGING: Record<string, string[]> = { 'publish.yml': ['maven'] };

const COMMIT = /^[\w-]+\/[\w./-]+@[0-9a-f]{40}$/;
const DIGEST = /^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/;

test.each(WORKFLOWS)('%s uses actions by commit, and tells the version', (file) => {
  const used = jobsOf(file).flatMap(({ uses, steps = [] }) => [uses, ...steps.map((step) => step.uses)]);
  const foreign = used.filter((name) => name !== undefined && !name.startsWith('./'));
  expect(foreign.filter((name) => !COMMIT.test(name ?? ''))).toEqual([]);
  const lines = read('.github', 'workflows', file)
    .split('\n')
    .filter((line) => /^\s*-? *uses: [^.]/.test(line));
  expect(lines.length).toBe(foreign.length);
  for (const line of lines) expect(line).toMatch(/@[0-9a-f]{40} # v\d/);
});

test.each(WORKFLOWS)('%s may write nothing but what a job of it must', (file) => {
  const { permissions, jobs } = workflow(file);
  expect(permissions).toEqual({ contents: 'read' });
  const more = Object.entries(jobs).filter(([, job]) => job.permissions !== undefined);
  expect(more.map(([name, job]) => [name, job.permissions])).toEqual([
    ...(LOGGING_IN[file] ?? []).map((job) => [job, { contents: 'read', 'id-token': 'write' }]),
    ...(PACKAGING[file] ?? []).map((job) => [job, { contents: 'read', packages: 'write' }]),
  ]);
});

test('a tag alone, or a branch, would be seen', () => {
  for (const name of ['actions/checkout@v5', 'actions/checkout@main', 'actions/checkout']) {
    expect(name).not.toMatch(COMMIT);
  }
  for (const name of ['node:24', 'node', `node@sha256:${'0'.repeat(63)}`]) expect(name).not.toMatch(DIGEST);
});

test('images are built of what is green only, and nothing else pushes them', () => {
  const { on, jobs, concurrency } = workflow('image.yml');
  expect(Object.keys(on)).toEqual(['push']);
  // Of the whole: no commit is deployed while an older one is under way, and none is cut short.
  expect(concurrency).toEqual({ group: 'image' });
  const [gate, ...others] = [jobs['build']?.needs].flat();
  expect(others).toEqual([]);
  expect(jobs[gate ?? '']?.uses).toBe('./.github/workflows/check.yml');
  const commands = jobsOf('check.yml').flatMap(({ steps = [] }) => steps.map(({ run }) => run));
  expect(commands).toEqual(expect.arrayContaining(['npm test', 'npm run check']));
  const pushing = WORKFLOWS.filter((file) => read('.github', 'workflows', file).includes('docker-build-push'));
  expect(pushing).toEqual(['image.yml']);
});

test('packages are published on a release only, of what is green only, and tell where they were made', () => {
  const { on, jobs } = workflow('publish.yml');
  expect(on).toEqual({ release: { types: ['published'] } });
  expect(jobs['tests']?.uses).toBe('./.github/workflows/check.yml');
  expect(jobs['clients']?.steps?.map(({ run }) => run)).toContain('npm run test:klienter');
  for (const job of ['npm', 'maven']) expect([job, jobs[job]?.needs]).toEqual([job, ['tests', 'clients']]);
  const commands = jobs['npm']?.steps?.map(({ run = '' }) => run).join('\n') ?? '';
  expect(commands.match(/^npm publish .*$/gm)).toEqual(
    ['clients/typescript', 'sandbox'].map((name) => `npm publish ./dist/${name} --provenance --access public`),
  );
  const publishing = WORKFLOWS.filter((file) => /npm publish|mvn .*deploy/.test(read('.github', 'workflows', file)));
  expect(publishing).toEqual(['publish.yml']);
});

/** What the workflow gives the platform, first and with the query-api, as its own shell finds it. */
async function resourcesOf(organisasjon: string, environment: string): Promise<Record<string, string[]>> {
  const { steps = [] } = jobsOf('deploy.yml').find((job) => job.steps?.some(({ id }) => id === 'files')) ?? {};
  const directory = mkdtempSync(join(tmpdir(), 'deploy-'));
  const output = join(directory, 'output');
  try {
    const script = steps.find(({ id }) => id === 'files')?.run ?? 'exit 1';
    const env = { FOLDER: `nais/${organisasjon}`, ENVIRONMENT: environment, GITHUB_OUTPUT: output };
    await promisify(execFile)('bash', ['-e', '-c', script], { cwd: ROOT, env: { ...process.env, ...env } });
    const lines = readFileSync(output, 'utf8').trim().split('\n');
    return Object.fromEntries(
      lines.map((line) => line.split('=')).map(([name = '', files = '']) => [name, files.split(',')]),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('what is built is deployed, both apps in every organisation, and to production after dev', async () => {
  const { jobs } = parse(read('.github', 'workflows', 'image.yml')) as {
    jobs: Record<string, { needs: string | string[]; uses?: string; with?: Record<string, string> }>;
  };
  for (const environment of ['dev', 'prod']) {
    expect(jobs[environment]?.uses).toBe('./.github/workflows/deploy.yml');
    expect(jobs[environment]?.with).toEqual({
      environment,
      ingestor: '${{ needs.build.outputs.ingestor }}',
      'query-api': '${{ needs.build.outputs.query-api }}',
    });
  }
  expect([jobs['dev']?.needs, jobs['prod']?.needs]).toEqual(['build', ['build', 'dev']]);
  const deploy = read('.github', 'workflows', 'deploy.yml');
  expect(await resourcesOf('nav', 'prod')).toEqual({
    resources: ['trigger-topic', 'migrering', 'ingestor']
      .map((kind) => `nais/nav/${kind}-prod.yaml`)
      .concat('nais/alerts.yaml'),
    'query-api': ['nais/nav/query-api-prod.yaml'],
  });
  for (const output of ['resources', 'query-api']) {
    expect(deploy).toContain(`RESOURCE: \${{ steps.files.outputs.${output} }}`);
  }
  const kinds = readdirSync(join(ROOT, 'nais', 'nav')).map((file) => file.replace(/(-(dev|prod))?\.yaml$/, ''));
  // The rest is no manifest: register.yml makes one of it, and an access policy is made of the last.
  const others = new Set(
    kinds.filter(
      (kind) => !['topic', 'trigger-topic', 'migrering', 'ingestor', 'query-api', 'revisor', 'adapter'].includes(kind),
    ),
  );
  expect(others).toEqual(new Set(['konsumenter', 'dekning', 'analyse']));
});

test('a registry is validated by the code that reads it before anything of it is deployed, and only on main', () => {
  const { jobs } = parse(read('.github', 'workflows', 'register.yml')) as {
    jobs: Record<string, { if?: string; needs?: string; steps: { run?: string; env?: Record<string, string> }[] }>;
  };
  expect(jobs['validate']?.steps.some(({ run }) => run?.includes('main.cjs register'))).toBe(true);
  expect([jobs['deploy']?.needs, jobs['deploy']?.if]).toEqual(['validate', "github.event_name == 'push'"]);
});

test('every image that is built on or run is named by digest', () => {
  const lines = read('Dockerfile').match(/^FROM .+$/gm) ?? [];
  const stages = lines.flatMap((line) => / AS (\S+)$/.exec(line)?.[1] ?? []);
  const bases = lines
    .map((line) => line.split(' ')[1] ?? '')
    .filter((name) => !stages.includes(name) && name !== '${APP}');
  const { services } = parse(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, { image?: string; build?: unknown }>;
  };
  const run = Object.values(services).flatMap(({ image, build }) => (build === undefined ? [image] : []));
  expect([bases.length, run.length]).toEqual([1, 3]);
  expect([...bases, ...run].filter((name) => !DIGEST.test(name ?? ''))).toEqual([]);
});

test('the image and the tests run the same version of Node', () => {
  const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };
  const { node } = devDependencies;
  expect(read('.node-version').trim()).toBe(node);
  expect(read('Dockerfile')).toContain(`FROM node:${String(node)}-slim@sha256:`);
});

/** As GitHub reads a pattern: from the root, `*` within a folder, a folder for all that is in it. */
function matches(pattern: string, file: string): boolean {
  const expression = pattern
    .replace(/^\//, '')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\*/g, (stars) => (stars === '*' ? '[^/]*' : '(.*/)?'))
    .replace(/\/$/, '/.*');
  return new RegExp(`^${expression}$`).test(file);
}

test('whose word it takes is told by name for who may see what, for the database, and for what is built', () => {
  const lines = read('.github', 'CODEOWNERS').split('\n');
  const rules = lines.filter((line) => /^\//.test(line)).map((line) => line.split(/ +/));
  for (const [pattern = '', ...owners] of rules) {
    expect(owners).not.toEqual([]);
    const found = globSync(pattern.replace(/^\//, '').replace(/\/$/, '/*'), { cwd: ROOT });
    expect([pattern, found.length > 0]).toEqual([pattern, true]);
  }
  const files = [
    'nais/*/konsumenter-*.yaml',
    'apps/query-api/src/access/konsumenter.schema.json',
    'docs/bruksvilkaar*.md',
    'libs/database/src/migrations/*.ts',
    '.github/workflows/*',
    '.github/CODEOWNERS',
    'Dockerfile',
    'package-lock.json',
  ].flatMap((pattern) => globSync(pattern, { cwd: ROOT }));
  expect(files.length).toBeGreaterThan(15);
  expect(files.filter((file) => !rules.some(([pattern = '']) => matches(pattern, file)))).toEqual([]);
  expect(matches('/nais/**/konsumenter.yaml', 'nais/nav/konsumenter-prod.yaml')).toBe(false);
});
