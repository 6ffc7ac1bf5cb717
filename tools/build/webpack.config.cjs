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
  stats: 'errors-warnings',
});
