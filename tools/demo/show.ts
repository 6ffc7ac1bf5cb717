/** What is shown, in the terminal, live and in the file: one form for all three. */
export interface Show {
  /** epoch, ms */
  begun: number;
  brief: boolean;
  broken: boolean;
  version: string;
  /** «2 cores, linux» */
  machine: string;
  done: boolean;
  scenes: SceneShown[];
}

export type SceneState = 'WAITING' | 'PLAYING' | 'HOLDS' | 'DOES NOT HOLD' | 'STOPPED';

export interface SceneShown {
  nr: number;
  name: string;
  promise: string;
  state: SceneState;
  /** epoch, ms; of its first step */
  begun: number;
  seconds: number;
  steps: { at: number; text: string; fault: boolean }[];
  figures: Figure[];
  checks: Check[];
  /** claims that a planted fault makes untrue */
  mustFall: string[];
  lines: Line[];
  /** as they are now, where the scene is about links */
  linked?: Linked;
  /** why it was stopped before its end */
  error?: string;
}

export type Phase = 'before' | 'during' | 'after';

/** One figure of a scene, as it was in each phase; absent where it was not taken. */
export type Figure = { name: string } & Partial<Record<Phase, string>>;

export interface Check {
  claim: string;
  holds: boolean;
  seen: string;
}

/** A line in a chart: what one organisation or process did, second by second. */
export interface Line {
  chart: string;
  unit: string;
  of: string;
  /** epoch ms, value */
  points: [number, number][];
}

/** Avtaler of one person on a line of time, and what each says of the others. */
export interface Linked {
  /** first and last day, YYYY-MM-DD */
  avtaler: { id: string; name: string; from: string; to: string }[];
  links: { relation: string; from: string; to: string }[];
}

export const heldIn = ({ scenes }: Show): number => scenes.filter(({ state }) => state === 'HOLDS').length;

/** Whether the scene came to its end, and saw that each claim fell that a planted fault had made untrue. */
export const noticed = ({ state, checks, mustFall }: SceneShown): boolean =>
  state === 'DOES NOT HOLD' &&
  mustFall.length > 0 &&
  mustFall.every((claim) => checks.some((check) => check.claim === claim && !check.holds));
