import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT, runProgram, startProcess, type ManagedProcess } from '@tiltak/testing';

/** A consumer as the README of a client shows it, line by line, in a process of its own. */
export interface Consumer {
  language: string;
  start: (env: NodeJS.ProcessEnv, logFile: string) => ManagedProcess;
}

/** @param directory where its program is put */
export function typeScriptConsumer(directory: string): Consumer {
  const modules = join(directory, 'node_modules');
  mkdirSync(join(modules, '@navikt'), { recursive: true });
  // As published: `nx build client-typescript` has made it.
  symlinkSync(join(ROOT, 'dist', 'clients', 'typescript'), join(modules, '@navikt', 'tiltak-datadeling-klient'));
  symlinkSync(join(ROOT, 'node_modules', 'pg'), join(modules, 'pg'));
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  const program = join(directory, 'consumer.ts');
  writeFileSync(program, programOf('typescript', 'ts'));
  return {
    language: 'TypeScript',
    start: (env, logFile) => startProcess(process.execPath, [program], logFile, { env }),
  };
}

/** Its program lies among the tests of the client, which hold it against the README: it is compiled with them. */
export async function kotlinConsumer(): Promise<Consumer> {
  const kotlin = join(ROOT, 'clients', 'kotlin');
  const { code, printout } = await runProgram('mvn', [
    ...['-q', '-B', '-ntp', '-f', join(kotlin, 'pom.xml'), 'process-test-classes'],
  ]);
  if (code !== 0) throw new Error(`The client for Kotlin could not be made: ${printout}`);
  const target = join(kotlin, 'target');
  const jars = readFileSync(join(target, 'test.classpath'), 'utf8').trim();
  const classpath = [join(target, 'classes'), join(target, 'test-classes'), jars].join(delimiter);
  const args = ['-Xmx192m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classpath, 'ConsumerKt'];
  return {
    language: 'Kotlin',
    start: (env, logFile) => startProcess('java', args, logFile, { env }),
  };
}

/** The one program that a README shows. */
function programOf(client: string, language: string): string {
  const text = readFileSync(join(ROOT, 'clients', client, 'README.md'), 'utf8');
  const program = new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(text)?.[1];
  if (program === undefined || program.split('\n').length > 20)
    throw new Error(`No short program in ${client}'s README`);
  return program;
}
