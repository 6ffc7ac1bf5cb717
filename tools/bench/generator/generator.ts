import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '@tiltak/testing';
import type { Tasks } from './tasks.ts';

type Options<T extends keyof Tasks> = Parameters<Tasks[T]>[0];
type Result<T extends keyof Tasks> = Awaited<ReturnType<Tasks[T]>>;

interface Waiting {
  done: (result: unknown) => void;
  failed: (error: Error) => void;
}

/** Everything that is asked of the system comes from a process of its own: what it waits for is the system. */
export class Generator {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, Waiting>();
  private calls = 0;

  private constructor(child: ChildProcess) {
    this.child = child;
    child.on('message', (message) => this.take(message as { id: number; result?: unknown; error?: string }));
    child.on('exit', () => {
      for (const { failed } of this.waiting.values()) failed(new Error('The generator ended'));
    });
  }

  static start(): Generator {
    const child = fork(join(ROOT, 'tools', 'bench', 'generator-process.ts'), {
      execArgv: ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'],
      serialization: 'advanced',
    });
    return new Generator(child);
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  run<T extends keyof Tasks>(
    task: T,
    ...options: Options<T> extends undefined ? [] : [Options<T>]
  ): Promise<Result<T>> {
    const id = ++this.calls;
    return new Promise((done, failed) => {
      this.waiting.set(id, { done: done as (result: unknown) => void, failed });
      this.child.send({ id, task, options: options[0] });
    });
  }

  async stop(): Promise<void> {
    const ended = new Promise<void>((done) => this.child.once('exit', () => done()));
    this.child.disconnect();
    await ended;
  }

  private take({ id, result, error }: { id: number; result?: unknown; error?: string }): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error === undefined) waiting?.done(result);
    else waiting?.failed(new Error(error));
  }
}
