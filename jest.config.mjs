/** One jest for the whole workspace: one Kafka and one Postgres serve every suite, each suite has its own topic and database. */
export default {
  rootDir: '.',
  roots: ['<rootDir>/apps', '<rootDir>/clients', '<rootDir>/libs', '<rootDir>/sandbox', '<rootDir>/tools'],
  testEnvironment: 'node',
  // The slow ones have runs of their own: npm run test:feil, npm run test:fuzz.
  testMatch: ['**/!(*.fault|*.fuzz).spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  transformIgnorePatterns: ['/node_modules/'],
  setupFiles: ['reflect-metadata'],
  globalSetup: '<rootDir>/tools/test/jest-setup.ts',
  globalTeardown: '<rootDir>/tools/test/jest-teardown.ts',
  testTimeout: 60_000,
  testSequencer: '<rootDir>/tools/test/sequencer.mjs',
  maxWorkers: 2,
};
