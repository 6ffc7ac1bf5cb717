/** What the process serves. */
export interface Served {
  organisasjon: string;
  topic: string;
}

/** By which it is injected: an interface has no name at run time. */
export const SERVED = Symbol('served');
