import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { stringify } from 'yaml';
import { ROOT } from '@tiltak/testing';
import { APP_ENV } from '../local/options.ts';
import { openApiGeneratorArgs, type Generator, type Settings } from './generators.ts';
import { CACHE, classPath, CLIENTS, nodeTools, pythonBin, run } from './workshop.ts';

/** A compiled client, and the program that asks with it. */
export interface Command {
  program: string;
  /** the base of the addresses, an avtaleId and an ETag follow, and what the settings add */
  args: string[];
  env?: Record<string, string>;
}

interface Place {
  /** the document, as the settings want it */
  document: string;
  /** where the client is generated, and all that comes of it */
  directory: string;
  settings: Settings;
}

type Build = (generator: Generator, place: Place) => Promise<Command>;

/** @throws BuildError when the client can't be generated, or doesn't compile */
export async function buildClient(
  generator: Generator,
  name: string,
  settings: Settings,
  document: string,
): Promise<Command> {
  const directory = join(CACHE, 'clients', `${generator.name}-${name}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const place = { document: documentFor(document, settings, directory), directory, settings };
  return BUILDS[generator.kind](generator, place);
}

function documentFor(document: string, { openEnums = false }: Settings, directory: string): string {
  const content = JSON.parse(readFileSync(document, 'utf8')) as {
    components: { schemas: Record<string, { enum?: unknown }> };
  };
  if (openEnums) for (const schema of Object.values(content.components.schemas)) delete schema.enum;
  const file = join(directory, 'openapi.json');
  writeFileSync(file, JSON.stringify(content));
  return file;
}

const BUILDS: Record<Generator['kind'], Build> = {
  java: async (generator, place) => {
    const library = generator.openApiGenerator?.library ?? '';
    const client = await openApiGenerator(generator, place, JVM_PACKAGES);
    const jars = await classPath(library);
    const classes = join(place.directory, 'classes');
    const own = ['Cases.java', join(library, 'Setup.java')].map((file) => join(CLIENTS, 'java', file));
    const sources = [...filesUnder(join(client, 'src', 'main', 'java'), '.java'), ...own];
    const list = join(place.directory, 'sources.txt');
    writeFileSync(list, sources.map((file) => JSON.stringify(file)).join('\n'));
    await run('javac', ['-nowarn', '-parameters', '--release', '17', '-cp', jars, '-d', classes, `@${list}`]);
    return { program: 'java', args: ['-cp', classes + delimiter + jars, 'Cases'] };
  },
  kotlin: async (generator, place) => {
    const client = await openApiGenerator(generator, place, JVM_PACKAGES);
    const [jars, compiler] = [await classPath('kotlin'), await classPath('kotlin-compiler')];
    const classes = join(place.directory, 'classes');
    const sources = [join(client, 'src', 'main', 'kotlin'), join(CLIENTS, 'kotlin', 'Cases.kt')];
    await run('java', [
      ...[
        ...SHORT_LIVED,
        '-Xmx1g',
        '-cp',
        compiler,
        'org.jetbrains.kotlin.cli.jvm.K2JVMCompiler',
        '-no-stdlib',
        '-nowarn',
      ],
      ...['-jvm-target', '17', '-cp', jars, '-d', classes, ...sources],
    ]);
    return { program: 'java', args: ['-cp', classes + delimiter + jars, 'CasesKt'] };
  },
  go: async (generator, place) => {
    await openApiGenerator(generator, place, [
      '--git-host',
      'example.com',
      '--git-user-id',
      'nav',
      '--git-repo-id',
      'klient',
    ]);
    const cases = join(place.directory, 'cases');
    cpSync(join(CLIENTS, 'go'), cases, { recursive: true });
    const program = join(place.directory, 'ask');
    // The client's own tests need modules that the client doesn't.
    const env = { GOFLAGS: '-mod=mod', GOCACHE: join(CACHE, 'go-build'), GOTOOLCHAIN: 'local' };
    await run('go', ['build', '-o', program, '.'], { cwd: cases, env });
    return { program, args: [] };
  },
  python: async (generator, place) => {
    const client = await openApiGenerator(generator, place);
    return pythonCommand(client, join(client, 'openapi_client'), 'openapi_generator.py');
  },
  'openapi-python-client': async (_, { document, directory, settings }) => {
    const client = join(directory, 'client');
    const bin = await pythonBin();
    const config = join(directory, 'config.yaml');
    writeFileSync(config, stringify(settings.config ?? {}));
    const args = ['generate', '--path', document, '--config', config, '--output-path', client, '--overwrite'];
    await run(join(bin, 'openapi-python-client'), args, { env: { PATH: [bin, APP_ENV.PATH].join(delimiter) } });
    return pythonCommand(client, join(client, 'tiltak_datadeling_client'), 'openapi_python_client.py');
  },
  'typescript-fetch': async (generator, place) =>
    typeScriptCommand(await openApiGenerator(generator, place), place, 'typescript-fetch.mjs'),
  'hey-api': async (_, place) => {
    const tools = await nodeTools();
    const client = join(place.directory, 'client');
    await node(tools, '@hey-api/openapi-ts/bin/run.js', ['-i', place.document, '-o', client]);
    return typeScriptCommand(client, place, 'hey-api.mjs');
  },
  orval: async (_, place) => {
    const tools = await nodeTools();
    const client = join(place.directory, 'client');
    const config = join(place.directory, 'orval.config.mjs');
    const output = { target: join(client, 'client.ts'), client: 'fetch', ...place.settings.config };
    writeFileSync(config, `export default ${JSON.stringify({ api: { input: place.document, output } })};\n`);
    await node(tools, 'orval/dist/bin/orval.mjs', ['--config', config]);
    return typeScriptCommand(client, place, 'orval.mjs');
  },
};

/** Of a JVM: what it would compile with care is used for seconds only. */
const SHORT_LIVED = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

const JVM_PACKAGES = [
  '--invoker-package',
  'klient',
  '--package-name',
  'klient',
  '--api-package',
  'klient.api',
  '--model-package',
  'klient.model',
];

/** @returns where the client is */
async function openApiGenerator(
  generator: Generator,
  { document, directory, settings }: Place,
  more: string[] = [],
): Promise<string> {
  const client = join(directory, 'client');
  await run('java', [
    ...[...SHORT_LIVED, '-jar', await classPath('openapi-generator')],
    ...openApiGeneratorArgs(generator, { document, client }, settings),
    ...['--global-property', 'apiTests=false,modelTests=false,apiDocs=false,modelDocs=false'],
    ...more,
  ]);
  return client;
}

/** Python has no compiler that tells more than that a file can be read: all modules are imported too. */
async function pythonCommand(client: string, code: string, program: string): Promise<Command> {
  const python = join(await pythonBin(), 'python');
  const env = { PYTHONPATH: [client, join(CLIENTS, 'python')].join(delimiter), PYTHONDONTWRITEBYTECODE: '1' };
  const importAll =
    'import importlib, pkgutil, sys; p = importlib.import_module(sys.argv[1]); [importlib.import_module(m.name) for m in pkgutil.walk_packages(p.__path__, p.__name__ + ".")]';
  await run(python, ['-c', importAll, code.slice(client.length + 1)], { env });
  return { program: python, args: [join(CLIENTS, 'python', program)], env };
}

/** Strict types, as this project has them; and CommonJS, which Node loads without what a bundler adds to paths. */
async function typeScriptCommand(client: string, { directory }: Place, program: string): Promise<Command> {
  const tools = await nodeTools();
  const compiled = join(directory, 'compiled');
  const config = join(directory, 'tsconfig.json');
  const compilerOptions = {
    ...{ target: 'es2022', module: 'commonjs', moduleResolution: 'node10', strict: true, skipLibCheck: true },
    ...{ lib: ['es2023', 'dom', 'dom.iterable'], types: ['node'], typeRoots: [join(tools, 'node_modules', '@types')] },
    ...{ rootDir: client, outDir: compiled },
  };
  writeFileSync(config, JSON.stringify({ compilerOptions, include: [join(client, '**', '*.ts')] }));
  await node(tools, 'typescript/bin/tsc', ['-p', config]);
  writeFileSync(join(compiled, 'package.json'), '{"type":"commonjs"}');
  const args = [join(CLIENTS, 'typescript', program), compiled];
  return { program: process.execPath, args };
}

function node(tools: string, program: string, args: string[]): Promise<string> {
  return run(process.execPath, [join(tools, 'node_modules', program), ...args], { cwd: ROOT });
}

function filesUnder(directory: string, extension: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension))
    .map((file) => join(directory, file));
}
