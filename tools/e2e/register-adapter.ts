import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AdapterApi } from '../reference-adapter/api.ts';
import { RegisterCopy } from '../reference-adapter/register/copy.ts';
import { pushAll } from '../reference-adapter/register/push.ts';
import { readAll } from '../reference-adapter/register/read-register.ts';
import { RegisterApi } from '../reference-adapter/register/register-api.ts';
import { syncRegister, type Outcome } from '../reference-adapter/register/sync-register.ts';

/** What it is told, as JSON on its input: a token stands on no command line. */
export interface AdapterTask {
  /** `read` and `send` are the two halves of a full sync */
  what: 'full' | 'delta' | 'read' | 'send';
  ingestor: string;
  token: string;
  register: string;
  /** the file of the copy */
  copy: string;
  pageSize: number;
  confirm: boolean;
}

/** What it tells, as JSON on its output. */
export interface AdapterReport extends Outcome {
  /** µs of its own */
  cpu: number;
  /** MiB, the most it had */
  memory: number;
  seconds: number;
}

/** The reference adapter on the national register, as a process of its own: it can be killed, and measured. */
async function run(task: AdapterTask): Promise<Outcome> {
  const { what, register, copy: file, pageSize, confirm } = task;
  const api = new AdapterApi(task.ingestor, () => Promise.resolve(task.token), 'virksomheter');
  const options = { pageSize, concurrency: 4, confirm, progress: () => undefined };
  if (what === 'full' || what === 'delta') return syncRegister(api, what, { url: register, file }, options);
  const copy = new RegisterCopy(file);
  try {
    if (what === 'read') {
      const { count } = await readAll(new RegisterApi(register), copy, dirname(file));
      return { summary: `${String(copy.count())} read`, isDone: count === 0 };
    }
    const { tilstand: state } = await pushAll(api, copy, options);
    return { summary: state, isDone: state === 'FULLFOERT' };
  } finally {
    copy.close();
  }
}

process.once('disconnect', () => process.exit(1));
process.channel?.unref();
const begun = performance.now();
const outcome = await run(JSON.parse(readFileSync(0, 'utf8')) as AdapterTask);
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
const report: AdapterReport = {
  ...outcome,
  cpu: userCPUTime + systemCPUTime,
  memory: maxRSS / 1_024,
  seconds: (performance.now() - begun) / 1_000,
};
console.log(JSON.stringify(report));
