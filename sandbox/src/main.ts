import 'reflect-metadata';
import { logger, StartupError, UsageError } from '@tiltak/platform';
import { MissingToolError } from '@tiltak/testing';
import { controlDocument, SWAGGER_PATH } from './control/openapi.ts';
import { readOptions, USAGE } from './options.ts';
import { startSandbox, type Sandbox } from './sandbox.ts';

const MAX_STOP_MS = 15_000;

const [first, ...others] = process.argv.slice(2);
if (first === 'openapi' && others.length === 0) void controlDocument().then((text) => process.stdout.write(text));
else void run(process.argv.slice(2));

/** Until somebody stops it. */
async function run(args: string[]): Promise<void> {
  const from = performance.now();
  let sandbox: Promise<Sandbox> | undefined;
  try {
    const options = readOptions(args, __dirname);
    if (!options) {
      process.stdout.write(USAGE);
      return;
    }
    logger.level = options.logs ? 'warn' : 'fatal';
    sandbox = startSandbox(options);
    stopOnSignal(sandbox);
    process.stdout.write(welcome(await sandbox, (performance.now() - from) / 1_000));
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
    process.exit();
  }
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
  if (error instanceof UsageError) return `${error.message}\n\n${USAGE}`;
  if (error instanceof StartupError || error instanceof MissingToolError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function welcome({ url, consumers }: Sandbox, seconds: number): string {
  const [consumer = ''] = consumers.names;
  return `The sandbox is ready, after ${seconds.toFixed(1)} s: ${url}

  a token     curl -s ${url}/sandkasse/v1/token/${consumer}
  consumers   ${consumers.names.join(', ')}
  plant       curl -s -X POST ${url}/sandkasse/v1/scenarier/paagaar -H 'Content-Type: application/json' -d '{}'
  control     ${url}${SWAGGER_PATH}
  query-api   ${url}/swagger, where you are authorised already

Ctrl-C stops it, and nothing is left of it.
`;
}
