import type { ConsumerLimits } from '../access/consumer-limits.ts';
import { feedOf, type Feed } from '../changes/changes.queries.ts';
import { FeedReader } from '../changes/feed-reader.ts';
import { FeedTail } from '../changes/feed-tail.ts';
import type { Reader } from '../lookups/reader.ts';
import type { Answer } from '../shared/in-pieces.ts';
import { columnName } from '@tiltak/database';
import type { ReadResource } from './resource.ts';
import { RESOURCES } from './resources.ts';

/** The change feed of a resource, as avtaler have theirs. */
export function feedOfResource({ resource }: ReadResource): Feed {
  const base = `/api/v1/${resource.name}`;
  const start = { eksport: `${base}/eksport`, endringer: `${base}/endringer?fra=naa` };
  return feedOf(`${resource.table}_endring`, columnName(resource.key), resource.name, start);
}

/** For each resource, those who follow its feed. */
export class ResourceFeeds {
  private readonly tails: FeedTail[] = [];
  private readonly readers = new Map<string, { feed: Feed; reader: FeedReader<Answer<object>> }>();

  constructor(reader: Reader, limits: ConsumerLimits) {
    for (const read of RESOURCES) {
      const feed = feedOfResource(read);
      const tail = new FeedTail(reader, limits, undefined, feed);
      this.tails.push(tail);
      this.readers.set(read.resource.name, { feed, reader: new FeedReader(feed, tail) });
    }
  }

  of({ resource }: ReadResource): { feed: Feed; reader: FeedReader<Answer<object>> } {
    const found = this.readers.get(resource.name);
    if (!found) throw new Error(`${resource.name} is no resource`);
    return found;
  }

  stop(): void {
    for (const tail of this.tails) tail.stop();
  }
}
