import type { Field } from './fields.ts';

/**
 * A kind of thing that adapters and topics bring, and consumers ask for. Its messages, its tables, what adapters may send
 * and what consumers may be granted follow from it (ADR 64).
 */
export interface Resource<F extends Readonly<Record<string, Field>> = Readonly<Record<string, Field>>> {
  /** plural, as routes, topics and the contract have it: `avtaler`, `virksomheter` */
  name: string;
  /** singular, as its tables have it: `virksomhet`, `virksomhet_versjon`, `virksomhet_endring`, `virksomhet_synlig` */
  table: string;
  /** its field that identifies it; the key of its messages */
  key: string;
  /** contract, reduced table (columns in snake case), documents, grants: all from these */
  fields: F;
  /** its field that decides which of two messages is the newer */
  order: string;
}
