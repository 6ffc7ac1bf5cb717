import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand, UsageError, type Command } from './command.ts';

const tell: Command = {
  usage: `Usage: node main.cjs tell [options]

  --til N  up to which number
`,
  run: async (args) => {
    const { values } = parseArgs({ args, options: { til: { type: 'string', default: '0' } } });
    if (!/^\d+$/.test(values.til)) throw new UsageError('--til must be a number');
    if (values.til === '7') throw new Error(`7 is taken by ${'1'.repeat(11)}`);
    if (values.til === '8') throw Object.assign(new Error(''), { code: 'ECONNREFUSED' });
    return Number(values.til);
  },
};

/** What is printed, and the exit code, which must not become that of the test run. */
async function run(...[name = '', ...args]: string[]): Promise<[out: string, error: string, code: unknown]> {
  const { stdout, stderr } = process;
  const [out, error] = [recorded(stdout), recorded(stderr)];
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await runCommand({ tell }, name, args);
    return [out.text(), error.text(), process.exitCode];
  } finally {
    process.exitCode = before;
    out.stop();
    error.stop();
  }
}

function recorded(stream: NodeJS.WriteStream): { text: () => string; stop: () => void } {
  const write = stream.write.bind(stream);
  let text = '';
  stream.write = (part: string | Uint8Array) => {
    text += String(part);
    return true;
  };
  return {
    text: () => text,
    stop: () => {
      stream.write = write;
    },
  };
}

const HOW = 'Usage: node main.cjs tell [options]; --hjelp lists them.\n';

test.each([
  ['tell', ['', '', 0]],
  ['tell --til 1', ['', '', 1]],
  ['tell --hjelp', [tell.usage, '', undefined]],
  ['tell --til x --hjelp', [tell.usage, '', undefined]],
  ['tell --til x', ['', `--til must be a number. ${HOW}`, 2]],
  ['tell --ukjent', ['', `Unknown option '--ukjent'. ${HOW}`, 2]],
  ['tell --til -1', ['', `Option '--til' argument is ambiguous. ${HOW}`, 2]],
  ['tell mer', ['', `Unexpected argument 'mer'. ${HOW}`, 2]],
  ['tell --til 7', ['', '7 is taken by ***********\n', 2]],
  ['tell --til 8', ['', 'ECONNREFUSED\n', 2]],
  ['fortell', ['', 'There is no command fortell, only: tell.\n', 2]],
])('%s', async (line, outcome) => {
  expect(await run(...line.split(' '))).toEqual(outcome);
});

test('whoever has read enough ends it, quietly', () => {
  const file = join(import.meta.dirname, 'command.ts');
  const program = `import { runCommand } from ${JSON.stringify(file)};
    const run = async () => { for (;;) await new Promise((done) => process.stdout.write('x'.repeat(9999) + '\\n', done)); };
    await runCommand({ skriv: { usage: '', run } }, 'skriv', []);`;
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
  const { stdout, stderr } = spawnSync('sh', ['-c', '"$@" | head -c 4', 'sh', ...node], { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['xxxx', '']);
}, 30_000);
