import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Register, startRegisterServer, type RegisterServer } from '@tiltak/simulator';
import { createWorkDir } from '@tiltak/testing';

const USAGE = 'Usage: npm run register -- [--antall 3000] [--endringer 1] [--port 8096]';
const TICK_MS = 1_000;

const OPTIONS = {
  antall: { type: 'string', default: '3000' },
  endringer: { type: 'string', default: '1' },
  port: { type: 'string', default: '8096' },
} as const;

/** `npm run register`: a national register of units, made up, for the reference adapter to read. It changes meanwhile. */
async function run(): Promise<void> {
  const { antall: count, endringer: changes, port } = readArguments();
  const { directory, clean } = createWorkDir('register');
  const register = new Register({ count, start: new Date() });
  const server = await startRegisterServer(register, directory, port).catch((error: unknown) => {
    clean();
    throw error;
  });
  await server.makeFiles();
  console.log(`A made-up register of ${String(count)} units, ${String(changes)} changes a second:
  npm run adapter -- full --register ${server.url}
  npm run adapter -- delta --register ${server.url}
Ctrl-C stops it; the next one begins anew.`);
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => end.abort());
  await live(register, server, changes, end.signal);
  await server.stop();
  clean();
}

/** Its clock is this machine's; its files are of each night, as the real one's are. */
async function live(register: Register, server: RegisterServer, changes: number, signal: AbortSignal): Promise<void> {
  let day = dayOf(register);
  for (;;) {
    await wait(TICK_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const passed = Math.max(0, Date.now() - register.now);
    if (changes > 0) register.change(changes, passed / changes);
    else register.now += passed;
    if (dayOf(register) !== day) await server.makeFiles();
    day = dayOf(register);
  }
}

const dayOf = (register: Register): number => Math.floor(register.now / 86_400_000);

function readArguments(): Record<keyof typeof OPTIONS, number> {
  try {
    const { values } = parseArgs({ options: OPTIONS });
    return {
      antall: whole('antall', values.antall, 1, 2_000_000),
      endringer: whole('endringer', values.endringer, 0, 1_000),
      port: whole('port', values.port, 0, 65_535),
    };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`, { cause: error });
  }
}

function whole(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new Error(`--${name} must be ${String(least)} to ${String(most)}.`);
}

try {
  await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
