import { statSync } from 'node:fs';

/**
 * The order in which jest begins suites, also where it has not timed them before: those that start whole systems first. One
 * of them begun last would run alone, while the other processors wait.
 */
export default class Sequencer {
  sort(tests) {
    const weight = ({ path }) => (path.includes('/tools/e2e/') ? 1_000_000 : 0) + statSync(path).size;
    return [...tests].sort((a, b) => weight(b) - weight(a));
  }

  /** What jest tells after the run; nothing of it is needed. */
  cacheResults() {}
}
