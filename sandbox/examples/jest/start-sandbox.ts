import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** For consumers: the command that starts it on a port that is free. */
export const COMMAND = ['npx', '--yes', '@navikt/tiltak-datadeling-sandbox', '--port', '0'] as const;

export interface StartedSandbox {
  url: string;
  /** The control API: POST unless told. */
  control: <T>(path: string, body?: object, method?: string) => Promise<T>;
  stop: () => Promise<void>;
}

/** Copy this into your own tests: it starts the sandbox, and knows its address when it is ready. */
export async function startSandbox([program, ...args]: readonly [
  string,
  ...string[],
] = COMMAND): Promise<StartedSandbox> {
  const sandbox = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(sandbox.stdout), 'line', { signal: AbortSignal.timeout(120_000) })) as [
    string,
  ];
  const url = /http:\S+/.exec(line)?.[0];
  if (url === undefined) throw new Error(line);
  return {
    url,
    control: async <T>(path: string, body: object = {}, method = 'POST'): Promise<T> => {
      const sent = method === 'POST' || method === 'PUT';
      const response = await fetch(`${url}/sandkasse/v1/${path}`, {
        method,
        ...(sent ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${path}: ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
    stop: async () => {
      sandbox.kill();
      await once(sandbox, 'exit');
    },
  };
}
