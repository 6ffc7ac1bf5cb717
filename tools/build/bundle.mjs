/**
 * Bundles an app with the workspace's libraries into dist/<app>/main.cjs; everything from node_modules stays outside and
 * is installed by `npm ci --omit=dev`, so that what runs is what the lock file says.
 *
 *   node tools/build/bundle.mjs apps/ingestor
 *
 * On webpack's own interface: the executor of @nx/webpack goes away in Nx 24, and its plugin makes three dev servers of
 * each app that neither can use.
 */
import { cpSync, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import webpack from 'webpack';
import { layPages } from './pages.mjs';

const root = resolve(import.meta.dirname, '..', '..');
const [app] = process.argv.slice(2);
if (!app || !existsSync(join(root, app, 'src', 'main.ts'))) {
  console.error('Usage: node tools/build/bundle.mjs apps/<app>');
  process.exit(1);
}
const output = join(root, 'dist', app);

const stats = await promisify(webpack)({
  context: root,
  mode: 'none',
  target: 'node24',
  entry: { main: join(root, app, 'src', 'main.ts') },
  output: { path: output, filename: '[name].cjs', clean: true },
  devtool: 'source-map',
  resolve: { extensions: ['.ts', '.js'] },
  module: {
    rules: [{ test: /\.ts$/, exclude: /node_modules/, use: 'swc-loader' }],
    // What is found among the installed packages is found when it runs.
    parser: { javascript: { createRequire: false } },
  },
  externalsType: 'commonjs',
  externals: [({ request }, done) => (/^(\.|\/|@tiltak\/)/.test(request) ? done() : done(null, request))],
  optimization: { nodeEnv: false },
});
if (stats.hasErrors() || stats.hasWarnings()) console.error(stats.toString('errors-warnings'));
if (stats.hasErrors()) process.exit(1);
layPages(root, app, output);
const asyncApi = join(root, 'apps', 'ingestor', 'asyncapi.yaml');
// The query-api shows what the organisation's topics hold.
if (app === 'apps/query-api' && existsSync(asyncApi)) cpSync(asyncApi, join(output, 'asyncapi.yaml'));
