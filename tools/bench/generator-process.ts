import { tasks, type Tasks } from './generator/tasks.ts';

/** The process of the generator: does what the benchmark tells it to, and ends with it. See generator/generator.ts. */
interface Call {
  id: number;
  task: keyof Tasks;
  options: never;
}

process.on('message', (message) => void answer(message as Call));
process.on('disconnect', () => process.exit(0));

async function answer({ id, task, options }: Call): Promise<void> {
  try {
    const result: unknown = await tasks[task](options);
    process.send?.({ id, result });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? error.message : String(error) });
  }
}
