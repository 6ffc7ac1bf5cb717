import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as vent } from 'node:timers/promises';

/** A process that was started here, and that is stopped here. */
export interface Prosess {
  pid: number;
  /** set when it has ended */
  avsluttet: () => boolean;
  /** Resolves when it has ended. */
  ferdig: Promise<void>;
  /** SIGTERM, and SIGKILL if it has not ended in time. */
  stopp: (maksMs?: number) => Promise<void>;
  /** SIGKILL. */
  drep: () => Promise<void>;
}

/** Starts a program with its output in a file. */
export function startProsess(program: string, argumenter: string[], loggfil: string, valg: SpawnOptions = {}): Prosess {
  mkdirSync(dirname(loggfil), { recursive: true });
  const fil = openSync(loggfil, 'a');
  const barn = spawn(program, argumenter, { ...valg, stdio: ['ignore', fil, fil] });
  closeSync(fil);
  return somProsess(barn);
}

function somProsess(barn: ChildProcess): Prosess {
  let slutt = false;
  const ferdig = new Promise<void>((gaa) => {
    const merk = (): void => {
      slutt = true;
      gaa();
    };
    barn.once('exit', merk);
    barn.once('error', merk);
  });
  const signal = async (navn: NodeJS.Signals): Promise<void> => {
    if (!slutt) barn.kill(navn);
    await ferdig;
  };
  return {
    pid: barn.pid ?? -1,
    avsluttet: () => slutt,
    ferdig,
    drep: () => signal('SIGKILL'),
    stopp: async (maksMs = 30_000) => {
      const frist = setTimeout(() => barn.kill('SIGKILL'), maksMs);
      await signal('SIGTERM');
      clearTimeout(frist);
    },
  };
}

export async function portErLedig(port: number): Promise<boolean> {
  return new Promise((svar) => {
    const server = createServer();
    server.once('error', () => svar(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => svar(true)));
  });
}

export async function ledigPort(): Promise<number> {
  return new Promise((svar, feilet) => {
    const server = createServer();
    server.once('error', feilet);
    server.listen(0, '127.0.0.1', () => {
      const adresse = server.address();
      const port = typeof adresse === 'object' && adresse ? adresse.port : 0;
      server.close(() => svar(port));
    });
  });
}

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
