import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Eleven digits in a string is how a national ident looks; only libs/testing may make them. */
const ident = {
  selector: 'Literal[value=/^[0-9]{11}$/]',
  message: 'National idents are made in libs/testing only (syntheticIdent).',
};
const env = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Configuration is read once per app, in its config.ts.',
};
const defaultExport = { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' };

export default tseslint.config(
  {
    ignores: [
      '**/dist',
      '**/node_modules',
      '.local',
      '.nx',
      'tmp',
      'coverage',
      '**/*.cjs',
      'clients/typescript/*.schema.ts',
      'clients/kotlin/target',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  ...tseslint.configs.strict,
  {
    files: ['**/*.ts'],
    plugins: { '@nx': nx },
    // So that a class that is injected is not taken for a type.
    languageOptions: { parserOptions: { emitDecoratorMetadata: true, experimentalDecorators: true } },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          depConstraints: [
            // fast-check is for its specs.
            { sourceTag: 'scope:avtale', onlyDependOnLibsWithTags: [], allowedExternalImports: ['fast-check'] },
            {
              sourceTag: 'scope:database',
              onlyDependOnLibsWithTags: [],
              bannedExternalImports: ['@nestjs/*', 'kafkajs'],
            },
            {
              sourceTag: 'scope:platform',
              onlyDependOnLibsWithTags: [],
              bannedExternalImports: ['typeorm', 'kafkajs'],
            },
            { sourceTag: 'scope:testing', onlyDependOnLibsWithTags: [] },
            { sourceTag: 'scope:ingestor', onlyDependOnLibsWithTags: ['type:lib', 'type:testing'] },
            {
              sourceTag: 'scope:query-api',
              onlyDependOnLibsWithTags: ['type:lib', 'type:testing'],
              bannedExternalImports: ['kafkajs', '@nestjs/microservices'],
            },
            { sourceTag: 'scope:simulator', onlyDependOnLibsWithTags: ['scope:testing'] },
            { sourceTag: 'scope:tools', onlyDependOnLibsWithTags: ['type:testing'] },
          ],
        },
      ],
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      'no-restricted-syntax': ['error', ident, env, defaultExport],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, argsIgnorePattern: '^_', varsIgnorePattern: '^_+$' },
      ],
      'no-console': 'error',
      'max-lines-per-function': ['warn', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // What proves platform may use the mock issuer; platform itself may not.
    files: ['libs/platform/src/**/*.spec.ts', 'libs/platform/src/testing/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          depConstraints: [
            {
              sourceTag: 'scope:platform',
              onlyDependOnLibsWithTags: ['type:testing'],
              bannedExternalImports: ['typeorm', 'kafkajs'],
            },
          ],
        },
      ],
    },
  },
  { files: ['**/config.ts', 'tools/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ident, defaultExport] } },
  { files: ['tools/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['**/*.spec.ts', 'libs/testing/**/*.ts'],
    rules: { 'no-restricted-syntax': 'off', 'max-lines-per-function': 'off', 'no-console': 'off' },
  },
);
