import { ConfigError } from './config.ts';
import { isStartupError } from './startup-error.ts';
import { logger, flushLogger, logNodeWarnings } from './logger.ts';

/** The platform kills the process 35 s after it has asked (nais/, `terminationGracePeriodSeconds` less what comes before). */
const MAX_SHUTDOWN_MS = 28_000;

/** Stops what was started, in reverse. */
export type Stop = () => Promise<void>;

/**
 * The frame of a process: starts it, stops it on SIGTERM or SIGINT, and ends it with a clear line and an exit code other
 * than 0 when it can't start.
 */
export async function runApp(start: () => Promise<Stop>): Promise<void> {
  logNodeWarnings();
  process.on('unhandledRejection', (error) => fail(error, 'A promise was rejected and nobody listened'));
  process.on('uncaughtException', (error) => fail(error, 'An error was thrown and nobody caught it'));
  let stop: Stop | undefined;
  let closing = false;
  // Before the start, which may wait for a database: the first process of a container is deaf to signals that it does
  // not listen to. The same signal again ends it at once.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      if (closing) return;
      closing = true;
      void shutDown(signal, stop);
    });
  }
  try {
    stop = await start();
  } catch (error) {
    fail(error, 'Could not start');
  }
}

async function shutDown(signal: string, stop: Stop | undefined): Promise<void> {
  logger.info({ signal }, stop ? 'Stopping' : 'Stopped before it had started');
  const deadline = setTimeout(() => {
    logger.error('Did not stop in time');
    exit(1);
  }, MAX_SHUTDOWN_MS);
  deadline.unref();
  try {
    await stop?.();
    logger.info('Stopped');
    exit(0);
  } catch (error) {
    fail(error, 'Could not stop in order');
  }
}

function fail(error: unknown, message: string): never {
  if (error instanceof ConfigError || isStartupError(error)) {
    for (const line of error.message.split('\n')) logger.fatal(line);
  } else {
    logger.fatal({ err: error }, message);
  }
  exit(1);
}

function exit(code: number): never {
  flushLogger();
  process.exit(code);
}
