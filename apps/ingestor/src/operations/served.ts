/** What the process serves. */
export interface Served {
  organisasjon: string;
  topic: string;
  /** false: the source publishes to the topic itself, and alone */
  adapterMayWrite: boolean;
}

/** By which it is injected: an interface has no name at run time. */
export const SERVED = Symbol('served');
