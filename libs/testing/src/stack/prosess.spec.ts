import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { lagArbeidsmappe } from './arbeidsmappe.ts';
import { kjorProgram, ledigPort, portErLedig, portSvarer, startProsess, ventTil } from './prosess.ts';

const { katalog, rydd } = lagArbeidsmappe('spec');
const loggfil = join(katalog, 'prosess.log');
afterAll(rydd);

/** A process that has ended and that nobody has asked about yet still has an id. */
async function harEndt(pid: number): Promise<boolean> {
  const { utskrift } = await kjorProgram('ps', ['-o', 'stat=', '-p', String(pid)]);
  return utskrift.trim() === '' || utskrift.startsWith('Z');
}

test('a process that ends by itself tells how', async () => {
  const prosess = startProsess('sh', ['-c', 'exit 3'], loggfil);
  await prosess.ferdig;
  expect(prosess.utfall()).toBe('exit code 3');
  // It is over: nothing is sent to whoever has its id now.
  await prosess.stopp();
  await prosess.drep();
});

test('a program that does not exist is an outcome too', async () => {
  const prosess = startProsess('finnes-ikke', [], loggfil);
  await prosess.ferdig;
  expect(prosess.utfall()).toContain('ENOENT');
});

test('one that does not stop when asked is killed', async () => {
  const prosess = startProsess('sh', ['-c', 'trap "" TERM; while :; do sleep 1; done'], loggfil);
  await prosess.stopp(200);
  expect(prosess.utfall()).toMatch(/^SIG(KILL|TERM)$/);
});

test('when its starter is killed, the process and its children end', async () => {
  const skript = `
    import { startProsess } from ${JSON.stringify(new URL('./prosess.ts', import.meta.url).href)};
    console.log(startProsess('sh', ['-c', 'sleep 600 & echo $!; wait'], ${JSON.stringify(loggfil)}).pid);
    setInterval(() => {}, 1_000);`;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', skript], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const pid = await new Promise<number>((svar) => starter.stdout.once('data', (del: Buffer) => svar(Number(del))));
  expect(await harEndt(pid)).toBe(false);
  starter.kill('SIGKILL');
  await ventTil(() => harEndt(pid), { hva: 'the orphan to end' });
  const { utskrift } = await kjorProgram('ps', ['-A', '-o', 'pgid=,stat=']);
  const igjen = utskrift.split('\n').filter((linje) => new RegExp(`^\\s*${String(pid)}\\s+[^Z]`).test(linje));
  expect(igjen).toEqual([]);
});

test('a taken port is not free, and answers', async () => {
  const port = await ledigPort();
  expect([await portErLedig(port), await portSvarer(port)]).toEqual([true, false]);
  const server = await new Promise<Server>((klar) => {
    const ny = createServer().listen(port, '127.0.0.1', () => klar(ny));
  });
  expect([await portErLedig(port), await portSvarer(port)]).toEqual([false, true]);
  await new Promise((ferdig) => server.close(ferdig));
});

test('waiting in vain says what for', async () => {
  await expect(ventTil(() => false, { hva: 'Godot', maksMs: 20, hverMs: 5 })).rejects.toThrow(
    'Waited 0.02 s for Godot',
  );
});
