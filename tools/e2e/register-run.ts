import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AdapterReport, AdapterTask } from './register-adapter.ts';

const PROGRAM = join(import.meta.dirname, 'register-adapter.ts');

/** One run of the reference adapter. */
export interface AdapterProcess {
  pid: number;
  /** SIGKILL; resolves when it is gone. */
  kill: () => Promise<void>;
  /** Undefined: it was killed. @throws with what it said, when it ended in any other way than well */
  report: Promise<AdapterReport | undefined>;
}

export function startRegisterAdapter(task: AdapterTask): AdapterProcess {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM], {
    // By the last of them it knows when this process is gone, and ends too.
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  });
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) throw new Error('The adapter has no pipes');
  const said: string[] = [];
  const printed: string[] = [];
  stdout.setEncoding('utf8').on('data', (part: string) => printed.push(part));
  stderr.setEncoding('utf8').on('data', (part: string) => said.push(part));
  stdin.on('error', () => undefined).end(JSON.stringify(task));
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const report = ended.then(([code, signal]) => {
    if (signal === 'SIGKILL') return undefined;
    if (code !== 0) throw new Error(`The adapter ended with ${String(code ?? signal)}: ${said.join('')}`);
    return JSON.parse(printed.join('')) as AdapterReport;
  });
  // Who kills it does not ask what it came to.
  report.catch(() => undefined);
  return {
    pid: child.pid ?? -1,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    report,
  };
}
