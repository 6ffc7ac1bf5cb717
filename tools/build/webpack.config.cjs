const { cpSync, existsSync, readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');

/**
 * Bundles an app with the workspace's libraries; everything from node_modules stays outside and is
 * installed by `npm ci --omit=dev`, so that what runs is what the lock file says.
 */
module.exports = (_config, { options }) => ({
  mode: 'none',
  target: 'node24',
  entry: { main: path.resolve(options.root, options.main) },
  output: { path: path.resolve(options.root, options.outputPath), filename: '[name].cjs', clean: true },
  devtool: 'source-map',
  resolve: { extensions: ['.ts', '.js'] },
  module: { rules: [{ test: /\.ts$/, exclude: /node_modules/, use: 'swc-loader' }] },
  externalsType: 'commonjs',
  externals: [({ request }, done) => (/^(\.|\/|@tiltak\/)/.test(request) ? done() : done(null, request))],
  optimization: { nodeEnv: false },
  plugins: [new ConsolePage(path.resolve(options.root, path.dirname(options.main), 'operations', 'console', 'static'))],
  stats: 'errors-warnings',
});

/** Of Nav's design system, without its fonts, which lie at an address outside. */
const NAVIKT = ['global/tokens', 'global/reset', 'global/baseline', 'components'];

/** Lays the files of a page beside the program, with the style that they share. */
class ConsolePage {
  constructor(dir) {
    this.dir = dir;
  }

  apply(compiler) {
    if (!existsSync(this.dir)) return;
    compiler.hooks.afterEmit.tap('ConsolePage', () => {
      const target = path.join(compiler.outputPath, 'console');
      cpSync(this.dir, target, { recursive: true });
      const navikt = path.dirname(require.resolve('@navikt/ds-css'));
      const css = NAVIKT.map((part) => readFileSync(path.join(navikt, `${part}.min.css`), 'utf8'));
      writeFileSync(path.join(target, 'navikt.css'), css.join('\n'));
    });
  }
}
