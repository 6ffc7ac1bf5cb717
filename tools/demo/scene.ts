import type { Act } from './act.ts';

export interface Scene {
  /** as the issue and the page number them */
  nr: number;
  name: string;
  /** one sentence: what is promised */
  promise: string;
  play: (act: Act) => Promise<void>;
}
