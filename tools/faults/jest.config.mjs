import { join } from 'node:path';
import config from '../../jest.config.mjs';
import { FAULTS } from './catalogue.ts';

const root = join(import.meta.dirname, '..', '..');

/** What `npm run test:feil` runs: the faults that take long, and the tests that the catalogue names elsewhere. */
export default {
  ...config,
  rootDir: root,
  testMatch: ['**/*.fault.spec.ts', ...new Set(FAULTS.map(({ file }) => join(root, file)))],
};
