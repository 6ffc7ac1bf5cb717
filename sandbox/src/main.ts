import { enableCompileCache } from 'node:module';
import { OptionError, readOptions, requireNode, USAGE, type SandboxOptions } from './options.ts';
import { createQueryApiProcess } from './process/query-api.ts';
import { startServer } from './process/server.ts';
import type { Sandbox } from './sandbox.ts';

const MAX_STOP_MS = 15_000;

const [first, ...others] = process.argv.slice(2);
if (first === 'openapi' && others.length === 0) void printDocument();
else void run(process.argv.slice(2));

/** The document of the control API. */
async function printDocument(): Promise<void> {
  await import('reflect-metadata');
  const { controlDocument } = await import('./control/openapi.ts');
  process.stdout.write(await controlDocument());
}

/** Until somebody stops it. */
async function run(args: string[]): Promise<void> {
  try {
    requireNode();
    const options = readOptions(args, __dirname);
    if (!options) {
      process.stdout.write(USAGE);
      return;
    }
    const sandbox = start(options);
    stopOnSignal(sandbox);
    process.stdout.write(welcome(await sandbox));
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exit(error instanceof OptionError ? 2 : 1);
  }
}

/** Postgres and the query-api's process get ready while the rest of this program is loaded. */
async function start(options: SandboxOptions): Promise<Sandbox> {
  const { directory } = enableCompileCache();
  if (directory !== undefined) process.env['NODE_COMPILE_CACHE'] ??= directory;
  const queryApi = createQueryApiProcess(options.files.queryApiRunner, options.logs);
  const server = startServer();
  // Whoever waits for it hears of it.
  server.catch(() => undefined);
  const { startSandbox } = await import('./sandbox.ts');
  return startSandbox(options, { server, queryApi });
}

function stopOnSignal(sandbox: Promise<Sandbox>): void {
  let closing = false;
  const close = async (): Promise<void> => {
    if (closing) return;
    closing = true;
    setTimeout(() => process.exit(1), MAX_STOP_MS).unref();
    const { stop } = await sandbox;
    await stop();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => void close().catch(() => process.exit(1)));
  }
}

/** What is wrong outside is said in a sentence; what is wrong here, with where. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof OptionError) return `${error.message}\n\n${USAGE}`;
  const isOutside = 'startupError' in error || error.name === 'MissingToolError';
  return isOutside ? error.message : (error.stack ?? error.message);
}

function welcome({ url, consumers }: Sandbox): string {
  const [consumer = ''] = consumers.names;
  // Since the process began, which is before this program did.
  return `The sandbox is ready, after ${(performance.now() / 1_000).toFixed(1)} s: ${url}

  a token     curl -s ${url}/sandkasse/v1/token/${consumer}
  consumers   ${consumers.names.join(', ')}
  plant       curl -s -X POST ${url}/sandkasse/v1/scenarier/paagaar -H 'Content-Type: application/json' -d '{}'
  control     ${url}/sandkasse/swagger
  query-api   ${url}/swagger, where you are authorised already

Ctrl-C stops it, and nothing is left of it.
`;
}
