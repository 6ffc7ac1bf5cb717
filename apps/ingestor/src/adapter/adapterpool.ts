import type { Pool } from 'pg';

/** Connections for adapters alone: a page holds one while Kafka answers, and must not take those of the stream. */
export class Adapterpool {
  constructor(readonly pool: Pool) {}
}
