import type { ListedOrganisasjon } from './organisasjoner/organisasjoner.ts';

/** What the process serves. */
export interface Served {
  organisasjon: string;
  topic: string;
  /** undefined: employers are not kept here */
  virksomhetTopic?: string | undefined;
  /** undefined: the person register is not read */
  identTopic?: string | undefined;
  /** those that the page of all organisations shows */
  organisasjoner: readonly ListedOrganisasjon[];
}

/** By which it is injected: an interface has no name at run time. */
export const SERVED = Symbol('served');
