import { Linter, type Rule } from 'eslint';
import tseslint from 'typescript-eslint';

const { englishNames } = (await import(String(new URL('./english-names.mjs', import.meta.url)))) as {
  englishNames: Rule.RuleModule;
};

function refused(code: string): string[] {
  const messages = new Linter().verify(
    code,
    {
      files: ['**/*.ts'],
      languageOptions: { parser: tseslint.parser as Linter.Parser },
      plugins: { tiltak: { rules: { 'english-names': englishNames } } },
      rules: { 'tiltak/english-names': 'error' },
    },
    'a.ts',
  );
  return messages.map(({ message }) => message.split(':')[0] ?? '');
}

test.each([
  ['a variable', 'const antallRader = 1;', 'antallRader'],
  ['a constant', 'const MAKS_FORSOEK = 5;', 'MAKS_FORSOEK'],
  ['a function', 'function lesKonfig() {}', 'lesKonfig'],
  ['a parameter', 'const f = (svar: string) => 1;', 'svar'],
  ['a class', 'class Utsteder {}', 'Utsteder'],
  ['a type', 'type Utfall = string;', 'Utfall'],
  ['an alias', 'const { count: antall } = page;', 'antall'],
  ['a destructured name that is not published', 'const { skjemaet, hoder } = page;', 'hoder'],
  ['a member of a type', 'interface Rule { utfor: string }', 'utfor'],
  ['a method', 'class Page { hentNeste() {} }', 'hentNeste'],
])('%s', (_, code, name) => expect(refused(code)).toEqual([name]));

test.each([
  ['words of the domain', 'const deltakerAvtaler = 1; function readBehandlingsgrunnlag() {}'],
  ['the name of a field, and what is made of it', 'const sistEndret = 1; function sistEndretOf() {}'],
  ['a member that is published', 'interface Row { antall: number; kilde_offset: number; kildeOffset: number }'],
  ['a member that is published, destructured', 'const { antall, neste = 1 } = page;'],
  ['a class of the document, and what makes one', 'class SynkDto { utfor: string } function toSynkDto() {}'],
  ['what another declares', "import { kjor } from 'other'; kjor({ utfor: 1 });"],
])('%s may stay', (_, code) => expect(refused(code)).toEqual([]));
