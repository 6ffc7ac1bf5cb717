/** A word in backticks that is the path of a file or folder. */
export interface NamedPath {
  path: string;
  /** the folder that the nearest heading above names, which paths below it begin in */
  folder: string | undefined;
}

/** A command of this project, as it is shown to somebody who is to type it. */
export interface NamedCommand {
  /** of package.json, or of a generator or target of Nx, or of an image's command */
  name: string;
  kind: 'script' | 'generator' | 'target' | 'image';
  flags: string[];
}

/** What an invariant is held by. */
export interface NamedTest {
  file: string;
  title: string;
}

const FENCE = /^```[\s\S]*?^```$/gm;
const INLINE = /`([^`\n]+)`/g;

/** The targets of the links, as they are written. */
export function linksIn(text: string): string[] {
  const prose = text.replaceAll(FENCE, '').replaceAll(INLINE, 'code');
  return Array.from(prose.matchAll(/\]\(([^()\s]+)\)/g), ([, target = '']) => target);
}

/** The anchors of the headings, as GitHub makes them. */
export function anchorsIn(text: string): Set<string> {
  const headings = text.replaceAll(FENCE, '').matchAll(/^#{1,6} +(.+)$/gm);
  return new Set(Array.from(headings, ([, heading = '']) => slug(heading)));
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

const EXTENSION = /\.(ts|mjs|cjs|js|md|json|jsonl|ya?ml|sql|kt|xml)$/;
const PATH = /^\.?[\w*][\w*.-]*(\/[\w*.-]+)*\/?$/;
/** Media types, and what is written in capitals, have slashes too. */
const NO_PATH = /^(application|text)\/|^[A-Z_/]+$/;

export function pathsIn(text: string): NamedPath[] {
  let folder: string | undefined;
  return text
    .replaceAll(FENCE, '')
    .split('\n')
    .flatMap((line) => {
      const words = inlineCode(line).filter(isPath);
      if (!line.startsWith('#')) return words.map((path) => ({ path, folder }));
      folder = words[0];
      return words.map((path) => ({ path, folder: undefined }));
    });
}

function isPath(word: string): boolean {
  return PATH.test(word) && !NO_PATH.test(word) && (word.includes('/') || EXTENSION.test(word));
}

/** Those in backticks and in blocks of code; `npm run` alone is none. */
export function commandsIn(text: string): NamedCommand[] {
  const lines = Array.from(text.matchAll(FENCE), ([block]) => block).flatMap((block) => block.split('\n'));
  return [...lines, ...inlineCode(text)].flatMap((line): NamedCommand[] => {
    // What follows a # in a block is a comment.
    const [command = ''] = line.trim().split(/ +#/, 1);
    const [, script] = /^npm (?:run (?:-s |--silent )*)?(?!run\b|ci\b)([\w:-]+)/.exec(command) ?? [];
    const [, generator] = /^npx nx g (\S+)/.exec(command) ?? [];
    const [, targets = ''] = /^npx nx (?:run-many|affected) -t ((?:\w[\w-]* ?)+)/.exec(command) ?? [];
    const [, inImage] = /^node main\.cjs ([\w-]+)/.exec(command) ?? [];
    const flags = flagsIn(command.replace(/^npm run (-s|--silent) /, ''));
    if (script !== undefined) return [{ kind: 'script', name: script, flags }];
    if (generator !== undefined) return [{ kind: 'generator', name: generator, flags }];
    if (targets !== '') {
      const names = targets.split(' ').filter((name) => /^\w/.test(name));
      return names.map((name) => ({ kind: 'target', name, flags: [] }));
    }
    if (inImage !== undefined && /^[a-z]/.test(inImage)) return [{ kind: 'image', name: inImage, flags }];
    return [];
  });
}

/** Options that stand in backticks by themselves, beside the command that they belong to. */
export function looseFlagsIn(text: string): string[] {
  return inlineCode(text.replaceAll(FENCE, ''))
    .filter((word) => /^(-- )?--\w/.test(word))
    .flatMap(flagsIn);
}

function flagsIn(command: string): string[] {
  return Array.from(command.matchAll(/(?<=^|[ [|])--([a-zæøå][\w-]*)/g), ([, flag = '']) => flag);
}

function inlineCode(text: string): string[] {
  return Array.from(text.replaceAll(FENCE, '').matchAll(INLINE), ([, word = '']) => word.replaceAll('\\|', '|'));
}

/** Each invariant of a section with the tests below it. */
export function invariantsIn(text: string, section: string): { invariant: string; tests: NamedTest[] }[] {
  const [, after = ''] = text.split(`\n## ${section}\n`);
  const [content = ''] = after.split('\n## ', 1);
  const [, ...items] = `\n${content}`.split('\n- ');
  return items.map((item) => ({
    invariant: item.split('\n', 1)[0] ?? '',
    tests: Array.from(item.matchAll(/^ +- `(\S+\.spec\.ts)`: «(.+)»$/gm), ([, file = '', title = '']) => ({
      file,
      title,
    })),
  }));
}
