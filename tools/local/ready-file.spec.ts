import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWorkDir } from '@tiltak/testing';
import { readReady, ReadyFile, removeStale, type Ready } from './ready-file.ts';

const { directory, clean } = createWorkDir('ready');
afterAll(clean);

/** A process that is there for as long as this one is, and one that can't be. */
const ALIVE = process.ppid;
const GONE = 2 ** 22 + 1;

const stack = (port: number, start: number): Ready =>
  ({ issuer: `http://127.0.0.1:${String(port)}`, pids: { start }, organisasjoner: {} }) as unknown as Ready;

const found = (port?: string): string | undefined => readReady(port ?? '', directory)?.issuer.slice(-4);

test('two stacks in one checkout have a file each, and either can stop first', () => {
  const [first, second] = [new ReadyFile(directory), new ReadyFile(directory)];
  first.write(stack(8090, ALIVE));
  second.write(stack(8091, process.pid));
  first.write(stack(8090, ALIVE));
  expect([found(), found('8090'), found('8091'), found('8092')]).toEqual(['8090', '8090', '8091', undefined]);
  first.remove();
  // The only one there is.
  expect([found(), found('8090')]).toEqual(['8091', undefined]);
  second.write(stack(8091, process.pid));
  expect(existsSync(join(directory, 'ready.json'))).toBe(false);
  second.remove();
  expect(found()).toBeUndefined();
});

test('what a stack left behind that was killed is nobody’s', () => {
  writeFileSync(join(directory, 'ready.json'), JSON.stringify(stack(8090, GONE)));
  writeFileSync(join(directory, 'ready-8091.json'), JSON.stringify(stack(8091, GONE)));
  removeStale(directory);
  expect([found(), found('8091')]).toEqual([undefined, undefined]);
  // Its process id has been given to another since.
  writeFileSync(join(directory, 'ready.json'), JSON.stringify(stack(8090, ALIVE)));
  const next = new ReadyFile(directory);
  next.write(stack(8090, process.pid));
  expect(readReady('', directory)?.pids.start).toBe(process.pid);
  next.remove();
});
