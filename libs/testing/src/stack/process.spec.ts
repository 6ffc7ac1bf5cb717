import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createWorkDir } from './work-dir.ts';
import { runProgram, freePort, isPortFree, portAnswers, startProcess, waitUntil } from './process.ts';

const { directory, clean } = createWorkDir('spec');
const logFile = join(directory, 'prosess.log');
afterAll(clean);

/** A process that has ended and that nobody has asked about yet still has an id. */
async function hasEnded(pid: number): Promise<boolean> {
  const { printout } = await runProgram('ps', ['-o', 'stat=', '-p', String(pid)]);
  return printout.trim() === '' || printout.startsWith('Z');
}

test('a process that ends by itself tells how', async () => {
  const proc = startProcess('sh', ['-c', 'exit 3'], logFile);
  await proc.done;
  expect(proc.outcome()).toBe('exit code 3');
  // It is over: nothing is sent to whoever has its id now.
  await proc.stop();
  await proc.kill();
});

test('a program that does not exist is an outcome too', async () => {
  const proc = startProcess('finnes-ikke', [], logFile);
  await proc.done;
  expect(proc.outcome()).toContain('ENOENT');
});

test('one that does not stop when asked is killed', async () => {
  const proc = startProcess('sh', ['-c', 'trap "" TERM; while :; do sleep 1; done'], logFile);
  await proc.stop(200);
  expect(proc.outcome()).toMatch(/^SIG(KILL|TERM)$/);
});

test('when its starter is killed, the process and its children end', async () => {
  const script = `
    import { startProcess } from ${JSON.stringify(new URL('./process.ts', import.meta.url).href)};
    console.log(startProcess('sh', ['-c', 'sleep 600 & echo $!; wait'], ${JSON.stringify(logFile)}).pid);
    setInterval(() => {}, 1_000);`;
  const starts = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const pid = await new Promise<number>((response) =>
    starts.stdout.once('data', (part: Buffer) => response(Number(part))),
  );
  expect(await hasEnded(pid)).toBe(false);
  starts.kill('SIGKILL');
  await waitUntil(() => hasEnded(pid), { what: 'the orphan to end' });
  const { printout } = await runProgram('ps', ['-A', '-o', 'pgid=,stat=']);
  const left = printout.split('\n').filter((line) => new RegExp(`^\\s*${String(pid)}\\s+[^Z]`).test(line));
  expect(left).toEqual([]);
});

test('a taken port is not free, and answers', async () => {
  const port = await freePort();
  expect([await isPortFree(port), await portAnswers(port)]).toEqual([true, false]);
  const server = await new Promise<Server>((ready) => {
    const listening = createServer().listen(port, '127.0.0.1', () => ready(listening));
  });
  expect([await isPortFree(port), await portAnswers(port)]).toEqual([false, true]);
  await new Promise((done) => server.close(done));
});

test('waiting in vain says what for', async () => {
  await expect(waitUntil(() => false, { what: 'Godot', maxMs: 20, everyMs: 5 })).rejects.toThrow(
    'Waited 0.02 s for Godot',
  );
});
