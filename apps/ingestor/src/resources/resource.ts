import type { ResourceIngest } from '../ingest/resource-writer.ts';

/** A resource as the ingestor has it. One folder here for each. */
export interface ResourceDefinition extends ResourceIngest {
  /** undefined: no adapter pushes it, only its source's own topic brings it */
  push?: PushDefinition;
}

/** What the document says of pages of it; all else follows from its table of fields. */
export interface PushDefinition {
  operations: Readonly<Record<'full' | 'delta' | 'deletion', string>>;
  schemas: Readonly<Record<'resource' | 'entry' | 'deletedEntry' | 'page' | 'deletionPage', string>>;
  words: PushWords;
  /** of fields, as messages name them */
  examples: Readonly<Record<string, unknown>>;
}

interface PushWords {
  /** as in «A page of a full sync of …» */
  several: string;
  /** as in «A page of … to delete» */
  deleted: string;
  /** what `ressurs` of an entry is */
  entry: string;
  /** when what decides order is from, as in «…, UTC» */
  order: string;
  /** what follows of a full sync, and what a page of deletions is not for */
  full: string;
  deletion?: string;
}
