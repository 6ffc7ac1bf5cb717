import { avstem } from './avstem.ts';
import { relations } from './relations.ts';

test.each([
  ['', 'Either --fil or --topic is needed'],
  ['--topic --fil liste', 'Either --fil or --topic is needed'],
  ['--topic --bekreft alle', '--bekreft must be a number'],
  ['--topic --ingestor her', '--ingestor must be a URL'],
  ['--topic --repair MANGLER', "Unknown option '--repair'"],
  ['--fil finnes-ikke', 'TOKEN is missing'],
])('avstem %s: %s', async (line, message) => {
  await expect(avstem.run(line.split(' ').filter(Boolean))).rejects.toThrow(message);
});

test('relasjoner has one option', async () => {
  await expect(relations.run(['--repair'])).rejects.toThrow("Unknown option '--repair'");
  await expect(relations.run(['--rett'])).rejects.toThrow('DB_HOST is missing');
});
