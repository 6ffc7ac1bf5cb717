import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AppName, RunningOrganisasjon } from './running-organisasjon.ts';

/** More processes or fewer, or who is the primary. */
export type Change =
  | { what: AppName; by: number }
  /** `silent`: the connections of before are not told */
  | { what: 'promoter'; silent: boolean };

/** `ingestor -1`, `query-api +2`, `promoter`, `promoter stille`; undefined when it is none of these. */
export function parseChange([what, how]: readonly string[]): Change | undefined {
  if (what === 'promoter' && (how === undefined || how === 'stille')) return { what, silent: how === 'stille' };
  if ((what === 'ingestor' || what === 'query-api') && /^[+-][1-9]$/.test(how ?? '')) return { what, by: Number(how) };
  return undefined;
}

/**
 * Where the running stack is told to change. On 127.0.0.1, and under a path that nobody can guess: a page in a browser on
 * this machine must not be able to end its processes.
 */
export async function startControl(
  running: readonly RunningOrganisasjon[],
): Promise<{ url: string; stop: () => Promise<void> }> {
  const secret = `/${randomBytes(18).toString('hex')}/`;
  const server = createServer((request, response) => void answer(running, secret, request, response));
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}${secret}`,
    stop: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** `POST <secret>/<organisasjon>/<what>/<how>`; the answer is what has been done, as text. */
async function answer(
  running: readonly RunningOrganisasjon[],
  secret: string,
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [name, ...words] = url.startsWith(secret) ? url.slice(secret.length).split('/') : [];
  const organisasjon = running.find((each) => each.name === name);
  const change = parseChange(words);
  if (method !== 'POST' || !organisasjon || !change) return void response.writeHead(404).end();
  try {
    response.end(await perform(organisasjon, change));
  } catch (error) {
    response.writeHead(409).end(error instanceof Error ? error.message : String(error));
  }
}

async function perform(organisasjon: RunningOrganisasjon, change: Change): Promise<string> {
  if (change.what === 'promoter') {
    const { ms } = await organisasjon.promote(change);
    return `The standby of ${organisasjon.name} took over in ${String(ms)} ms, and has a standby of its own.`;
  }
  const { what, by } = change;
  const said: string[] = [];
  for (let n = 0; n < Math.abs(by); n++) {
    const { url, proc } = by > 0 ? await organisasjon.add(what) : await organisasjon.remove(what);
    said.push(`${what} ${by > 0 ? 'has joined' : 'has left'}: ${url}, process ${String(proc.pid)}`);
  }
  return said.join('\n');
}
