import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** Of the registry that the query-api reads: what it takes to be given a token. */
export class Consumers {
  private readonly clientIds: ReadonlyMap<string, string>;

  /** @param file a registry of consumers; what is wrong with it the query-api says */
  constructor(file: string) {
    const entries = parse(readFileSync(file, 'utf8')) as { navn?: unknown; azp?: unknown }[] | null;
    // Its issuer is Entra ID: of other organisations it gives no tokens.
    const ours = (entries ?? []).filter(({ azp }) => azp !== undefined);
    this.clientIds = new Map(ours.map(({ navn: name, azp }) => [String(name), String(azp)]));
  }

  get names(): readonly string[] {
    return [...this.clientIds.keys()];
  }

  /** @param consumer its name, or its client id; any other client id is one that the registry doesn't have */
  clientIdOf(consumer: string): string {
    return this.clientIds.get(consumer) ?? consumer;
  }
}
