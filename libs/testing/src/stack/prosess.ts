import { randomInt } from 'node:crypto';
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { connect, createServer, Socket } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as vent } from 'node:timers/promises';

/** A process that was started here, and that is stopped here. */
export interface Prosess {
  pid: number;
  /** set when it has ended */
  avsluttet: () => boolean;
  /** how it ended, in words: «exit code 1», «SIGKILL»; undefined while it runs */
  utfall: () => string | undefined;
  /** Resolves when it has ended. */
  ferdig: Promise<void>;
  /** SIGTERM, or the signal given, and SIGKILL if it has not ended in time. */
  stopp: (maksMs?: number, signal?: NodeJS.Signals) => Promise<void>;
  /** SIGKILL. */
  drep: () => Promise<void>;
}

/**
 * Starts a program with its output in a file. It gets a process group of its own, so that Ctrl-C in a terminal reaches
 * only the one who started it, who can then stop things in order.
 */
export function startProsess(
  program: string,
  argumenter: string[],
  loggfil: string,
  valg: Omit<SpawnOptions, 'stdio' | 'detached'> = {},
): Prosess {
  mkdirSync(dirname(loggfil), { recursive: true });
  const fil = openSync(loggfil, 'a');
  const barn = spawn(program, argumenter, {
    env: process.env,
    ...valg,
    detached: process.platform !== 'win32',
    stdio: ['ignore', fil, fil],
  });
  closeSync(fil);
  vokt(barn);
  return somProsess(barn);
}

/**
 * Ends the child's process group when this process has ended in any way, SIGKILL included: the guard waits for the end of
 * its input, which comes when nobody holds the other end any longer.
 */
function vokt(barn: ChildProcess): void {
  if (barn.pid === undefined || process.platform === 'win32') return;
  const vakt = spawn('sh', ['-c', 'read -r _; kill -KILL "-$0" 2>/dev/null', String(barn.pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // The guard must not keep this process alive: what it waits for is that it ends.
  vakt.unref();
  if (vakt.stdin instanceof Socket) vakt.stdin.unref();
  vakt.once('error', () => undefined);
  // The child's id may be given to another process from now on.
  barn.once('exit', () => {
    vakt.kill('SIGKILL');
    vakt.stdin?.destroy();
  });
}

/**
 * Runs a program to its end, in the same way.
 *
 * @returns its exit code and all it wrote; the code is undefined when there is no such program, or it was killed
 */
export async function kjorProgram(
  program: string,
  argumenter: string[],
  valg: Omit<SpawnOptions, 'stdio' | 'detached'> = {},
): Promise<{ kode: number | undefined; utskrift: string }> {
  const barn = spawn(program, argumenter, {
    // Named, since under jest process.env is a copy, which children don't get of themselves.
    env: process.env,
    ...valg,
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  vokt(barn);
  let utskrift = '';
  for (const strom of [barn.stdout, barn.stderr])
    strom.setEncoding('utf8').on('data', (del: string) => (utskrift += del));
  return new Promise((slutt) => {
    barn.once('error', () => slutt({ kode: undefined, utskrift }));
    barn.once('close', (kode) => slutt({ kode: kode ?? undefined, utskrift }));
  });
}

function somProsess(barn: ChildProcess): Prosess {
  let utfall: string | undefined;
  const ferdig = new Promise<void>((gaa) => {
    const merk = (slik: string): void => {
      utfall ??= slik;
      gaa();
    };
    barn.once('exit', (kode, signal) => merk(signal ?? `exit code ${String(kode)}`));
    barn.once('error', ({ message }) => merk(message));
  });
  const signal = async (navn: NodeJS.Signals): Promise<void> => {
    if (utfall === undefined) barn.kill(navn);
    await ferdig;
  };
  return {
    pid: barn.pid ?? -1,
    avsluttet: () => utfall !== undefined,
    utfall: () => utfall,
    ferdig,
    drep: () => signal('SIGKILL'),
    stopp: async (maksMs = 30_000, navn = 'SIGTERM') => {
      const frist = setTimeout(() => barn.kill('SIGKILL'), maksMs);
      await signal(navn);
      clearTimeout(frist);
    },
  };
}

/** Whether nothing listens on the port of 127.0.0.1. */
export async function portErLedig(port: number): Promise<boolean> {
  return new Promise((svar) => {
    const server = createServer();
    server.once('error', () => svar(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => svar(true)));
  });
}

/**
 * A port of 127.0.0.1 that nobody listens on. Below those that a system gives to outgoing connections: one of these could
 * take it before the one it is meant for does.
 */
export async function ledigPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await kanLytte(port)) return port;
  }
}

function kanLytte(port: number): Promise<boolean> {
  return new Promise((svar) => {
    const server = createServer();
    server.once('error', () => svar(false));
    server.listen(port, '127.0.0.1', () => server.close(() => svar(true)));
  });
}

/** Whether something accepts connections on the port of 127.0.0.1. */
export async function portSvarer(port: number): Promise<boolean> {
  return new Promise((svar) => {
    const forbindelse = connect(port, '127.0.0.1');
    forbindelse.once('connect', () => {
      forbindelse.destroy();
      svar(true);
    });
    forbindelse.once('error', () => svar(false));
  });
}

/**
 * Asks until the answer is neither false nor undefined, and gives that answer.
 *
 * @throws when `maksMs` has passed, saying what was waited for
 */
export async function ventTil<T>(
  sjekk: () => T | undefined | false | Promise<T | undefined | false>,
  { hva, maksMs = 30_000, hverMs = 50 }: { hva: string; maksMs?: number; hverMs?: number },
): Promise<T> {
  const frist = Date.now() + maksMs;
  for (;;) {
    const svar = await sjekk();
    if (svar !== undefined && svar !== false) return svar;
    if (Date.now() > frist) throw new Error(`Waited ${String(maksMs / 1000)} s for ${hva}`);
    await vent(hverMs);
  }
}

/** Whether a process has the id. */
export function erILive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (feil) {
    // EPERM: it lives, as another user.
    return (feil as NodeJS.ErrnoException).code === 'EPERM';
  }
}
