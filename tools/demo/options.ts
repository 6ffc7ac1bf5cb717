import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** Said to whoever starts it, without a stack trace. */
export class DemoUsageError extends Error {}

export interface DemoOptions {
  /** numbers of scenes, in the order that they are played */
  scenes: readonly number[];
  brief: boolean;
  broken: boolean;
  /** absolute path of the file that is made */
  file: string;
  /** absolute path of a picture of it, which takes a Chromium */
  picture: string | undefined;
  /** of the live page, on 127.0.0.1; 0: any that is free */
  port: number;
}

const USAGE =
  'Usage: npm run demo -- [--scene K[,K…]] [--fort] [--brudd] [--ut FILE.html] [--bilde FILE.png] [--port P]';

/**
 * @param known numbers of the scenes that there are
 * @param directory where npm was called from
 * @throws DemoUsageError naming the argument at fault
 */
export function readDemoOptions(args: string[], known: readonly number[], directory: string): DemoOptions {
  const given = readArguments(args);
  const chosen = given.scene === undefined ? known : given.scene.split(',').map(Number);
  const unknown = chosen.find((nr) => !known.includes(nr));
  if (unknown !== undefined)
    throw new DemoUsageError(`--scene: there are the scenes ${known.join(', ')}, and not ${String(given.scene)}`);
  const port = Number(given.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new DemoUsageError('--port must be a port, 0 to 65535');
  return {
    scenes: chosen,
    brief: given.fort,
    broken: given.brudd,
    file: resolve(directory, given.ut),
    picture: given.bilde === undefined ? undefined : resolve(directory, given.bilde),
    port,
  };
}

function readArguments(args: string[]): ReturnType<typeof interpret>['values'] {
  try {
    return interpret(args).values;
  } catch (error) {
    throw new DemoUsageError(`${error instanceof Error ? error.message : String(error)}. ${USAGE}`);
  }
}

const interpret = (args: string[]) =>
  parseArgs({
    args,
    options: {
      scene: { type: 'string' },
      fort: { type: 'boolean', default: false },
      brudd: { type: 'boolean', default: false },
      ut: { type: 'string', default: '.local/demo.html' },
      bilde: { type: 'string' },
      port: { type: 'string', default: '0' },
    },
  });
