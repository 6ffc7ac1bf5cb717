import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';
import { englishNames } from './tools/lint/english-names.mjs';

/** Eleven digits in a string is how a national ident looks; only libs/testing may make them. */
const ident = {
  selector: 'Literal[value=/^[0-9]{11}$/]',
  message: 'National idents are made in libs/testing only (syntheticFnr).',
};
const env = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Configuration is read once per app, in its config.ts.',
};
const earlierView = {
  selector: ':matches(TemplateElement[value.raw=/avtale_gammel_graphql/], Literal[value=/avtale_gammel_graphql/])',
  message: 'Only graphql.queries.ts reads the view that has what is wrongly registered (ADR 25).',
};
const LOCKS_OF_SERVER = '/from pg_locks(?![^]*(datname|pg_backend_pid))/';
const serverWide = {
  selector: `:matches(TemplateElement[value.raw=${LOCKS_OF_SERVER}], Literal[value=${LOCKS_OF_SERVER}])`,
  message: 'pg_locks shows the locks of every database of the server: LOCKS of @tiltak/testing has those of this one.',
};
const defaultExport = { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' };

/** Doors inside the ingestor. What a block turns off for its own room it must name again for the others. */
const avtaleWriter = {
  regex: '/(avtaler|group)\\.queries\\.ts$',
  importNamePattern: '^(insert|update|repair|delete|require|move)',
  message: 'What writes avtaler goes through ingest/writer.ts: it owns the locks, their order, parking and relations.',
};
const resourceWriter = {
  regex: '/resource\\.queries\\.ts$',
  message: 'What writes a resource goes through ingest/resource-writer.ts, as avtaler go through ingest/writer.ts.',
};
const personWriter = {
  regex: '/persons\\.queries\\.ts$',
  importNamePattern: '^(lock|replace|move)',
  message: 'Who is one person changes through ingest/person-writer.ts, and avtaler follow there.',
};
const adapterApart = {
  regex: '/adapter/',
  message: 'The adapter part stands alone: only the composition root and the status of operations know of it.',
};
const ingestorDoors = [
  {
    files: ['apps/ingestor/src/**/*.ts'],
    ignores: ['**/*.spec.ts', 'apps/ingestor/src/testing/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [avtaleWriter, resourceWriter, personWriter, adapterApart] }],
    },
  },
  {
    files: ['apps/ingestor/src/ingest/{writer,group-writer,person-writer,resource-writer,resource-repair}.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [adapterApart] }] },
  },
  {
    files: [
      'apps/ingestor/src/ingestor.ts',
      'apps/ingestor/src/ingestor.module.ts',
      'apps/ingestor/src/operations/status.*.ts',
      'apps/ingestor/src/operations/condition/*.ts',
    ],
    rules: { 'no-restricted-imports': ['error', { patterns: [avtaleWriter, resourceWriter, personWriter] }] },
  },
];

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
      'sandbox/examples/junit/target',
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
            { sourceTag: 'scope:resource', onlyDependOnLibsWithTags: [], allowedExternalImports: ['fast-check'] },
            {
              sourceTag: 'scope:avtale',
              onlyDependOnLibsWithTags: ['scope:resource'],
              allowedExternalImports: ['fast-check'],
            },
            {
              sourceTag: 'scope:virksomhet',
              onlyDependOnLibsWithTags: ['scope:resource'],
              allowedExternalImports: ['fast-check'],
            },
            {
              sourceTag: 'scope:database',
              // A real Postgres, for its specs and for writing schema.sql.
              onlyDependOnLibsWithTags: ['type:testing'],
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
            // Nothing names type:sandbox: whatever is built for the product can't import it.
            { sourceTag: 'scope:sandbox', onlyDependOnLibsWithTags: ['type:lib', 'type:testing'] },
          ],
        },
      ],
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      'no-restricted-syntax': ['error', ident, env, earlierView, serverWide, defaultExport],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, argsIgnorePattern: '^_', varsIgnorePattern: '^_+$' },
      ],
      'no-console': 'error',
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  ...ingestorDoors,
  {
    // What is known of avtaler is read in lookups/ alone, where every look-up is audited. The exceptions: an export streams
    // from a connection of its own, the feed poll and freshness read no avtale, and the composition makes the pools and
    // asks for readiness. Commands are run by operators, with roles of their own.
    files: ['apps/query-api/src/**/*.ts'],
    ignores: [
      '**/*.spec.ts',
      'apps/query-api/src/{lookups,commands,testing}/**',
      'apps/query-api/src/export/export.ts',
      'apps/query-api/src/changes/feed-waiter.ts',
      'apps/query-api/src/freshness/freshness.ts',
      'apps/query-api/src/query-api.ts',
    ],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: ['pg', 'pg-copy-streams', 'typeorm'].map((name) => ({
            name,
            allowTypeImports: true,
            message: 'Describe a Lookup; only lookups/ reads.',
          })),
          patterns: [
            {
              group: ['@tiltak/database'],
              importNames: ['createPool', 'createDataSource', 'connectAndWait'],
              message: 'Only the composition (query-api.ts) connects.',
            },
            {
              group: ['**/lookups/reader.ts'],
              allowTypeImports: true,
              message: 'Describe a Lookup and let Lookups answer it: what is read here is not audited.',
            },
          ],
        },
      ],
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
  {
    // What it plants is stored by the product's own writer, and by nothing else of the product's apps.
    files: ['sandbox/src/planting/planter.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [
            ...['ingest/ingest-batch', 'ingest/person-writer', 'ingest/resource-writer', 'ingest/writer'],
            ...['background/give-way', 'resources/resource.consumer'],
            ...['resources/virksomheter/virksomheter', 'resources/virksomheter/hovedenhet-told.job'],
          ].map((name) => `../../../apps/ingestor/src/${name}.ts`),
          depConstraints: [{ sourceTag: 'scope:sandbox', onlyDependOnLibsWithTags: ['type:lib', 'type:testing'] }],
        },
      ],
    },
  },
  {
    // Who reads the environment, by name: the configuration of a program, and what must be told where it runs.
    files: [
      'apps/*/src/config.ts',
      'libs/simulator/src/simulate.ts',
      'sandbox/src/main.ts',
      'sandbox/src/process/query-api{,-process}.ts',
      'libs/testing/src/{browser,pgbouncer,suite}.ts',
      'libs/testing/src/stack/process.ts',
      'tools/bench/limit-server.ts',
      'tools/local/{ops,options}.ts',
      'tools/reference-adapter/main.ts',
      'tools/{faults,test}/*.ts',
    ],
    rules: { 'no-restricted-syntax': ['error', ident, earlierView, serverWide, defaultExport] },
  },
  {
    // What is run on a command line, and what takes so long there that it says so.
    files: ['tools/**/*.ts', 'libs/simulator/src/simulate.ts', 'libs/testing/src/stack/kafka-jars.ts'],
    rules: { 'no-console': 'off' },
  },
  // The one place that may make national idents.
  {
    files: ['libs/testing/src/idents.ts'],
    rules: { 'no-restricted-syntax': ['error', env, earlierView, serverWide, defaultExport] },
  },
  // The one reader of that view, and what makes it.
  {
    files: ['apps/query-api/src/graphql/graphql.queries.ts', 'libs/database/src/migrations/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ident, env, serverWide, defaultExport] },
  },
  {
    files: ['**/*.spec.ts'],
    rules: { 'no-restricted-syntax': ['error', serverWide], 'max-lines-per-function': 'off', 'no-console': 'off' },
  },
  {
    files: ['**/*.ts', 'apps/*/src/**/static/*.js'],
    // TypeORM stores the class name of a migration.
    ignores: ['libs/database/src/migrations/*.ts', 'clients/**'],
    plugins: { tiltak: { rules: { 'english-names': englishNames } } },
    rules: { 'tiltak/english-names': 'error' },
  },
);
