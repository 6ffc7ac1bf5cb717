import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';

export interface SandboxResponse {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a client that knows nothing gets
  body: any;
}

export interface TestSandbox {
  url: string;
  /** Asks the control API. */
  control: (method: string, path: string, body?: unknown) => Promise<SandboxResponse>;
  /** Asks the query-api, as a consumer; `alt` unless told. */
  ask: (method: string, path: string, body?: unknown, as?: string) => Promise<SandboxResponse>;
  stop: () => Promise<void>;
}

/** The program as it is published, in `dist/sandbox` unless told. */
export async function startTestSandbox(
  program = join(ROOT, 'dist', 'sandbox', 'main.cjs'),
  args: readonly string[] = ['--port', '0'],
): Promise<TestSandbox> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const url = await readUrl(child.stdout, child.stderr);
  const tokens = new Map<string, Promise<string>>();
  const tokenOf = (name: string): Promise<string> => {
    const known = tokens.get(name) ?? fetch(`${url}/sandkasse/v1/token/${name}`).then((response) => response.text());
    tokens.set(name, known);
    return known;
  };
  return {
    url,
    control: (method, path, body) => call(method, `${url}/sandkasse/v1/${path}`, body),
    ask: async (method, path, body, as = 'alt') =>
      call(method, `${url}/api/v1/${path}`, body, { authorization: `Bearer ${await tokenOf(as)}` }),
    stop: async () => {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function readUrl(output: NodeJS.ReadableStream, errors: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  let wrong = '';
  errors.on('data', (part: Buffer) => (wrong += part.toString()));
  for await (const part of output) {
    text += String(part);
    const [, url] = /is ready, after [\d.]+ s: (\S+)/.exec(text) ?? [];
    if (url !== undefined) {
      output.resume();
      return url;
    }
  }
  throw new Error(`The sandbox did not start: ${wrong}`);
}

async function call(
  method: string,
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<SandboxResponse> {
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(url, { method, headers: { ...json, ...headers }, ...sent });
  const text = await response.text();
  const isJson =
    /\bjson\b/.test(response.headers.get('content-type') ?? '') &&
    !/ndjson/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson && text !== '' ? JSON.parse(text) : text };
}
