import { encodeRequest, HttpConnection, type Answer } from './http-connection.ts';
import { timesOf, type Span, type Times } from '../measuring/statistics.ts';

const WAIT_SECONDS = 30;

export interface FollowerOptions {
  url: string;
  /** one for each follower */
  tokens: string[];
  /** where all of them are; undefined: they read the feed from its beginning first */
  from?: string;
}

/** Readers of the change feed, each with a connection of its own, who wait at its end for what comes. */
export class Followers {
  private readonly connections: HttpConnection[];
  private readonly arrivals = new Map<string, number[]>();
  private failed = 0;
  private atEnd = 0;
  private stopped = false;

  constructor({ url, tokens, from }: FollowerOptions) {
    this.connections = tokens.map(() => new HttpConnection(url, { keepBody: true }));
    for (const [nr, token] of tokens.entries()) this.follow(nr, token, from);
    if (from !== undefined) this.atEnd = tokens.length;
  }

  /** how many have come to the end of the feed once, and wait there */
  get waiting(): number {
    return this.atEnd;
  }

  /**
   * Of changes that are known by their avtaleId: from when they were made until each follower had them.
   *
   * @param made when, of each avtaleId: epoch, ms
   */
  result(made: Record<string, number>): { times: Times; arrived: number; failed: number } {
    const spans: Span[] = Object.entries(made).flatMap(([id, from]) =>
      (this.arrivals.get(id) ?? []).map((to) => ({ from, to })),
    );
    return { times: timesOf(spans), arrived: spans.length, failed: this.failed };
  }

  stop(): void {
    this.stopped = true;
    for (const connection of this.connections) connection.close();
  }

  private follow(nr: number, token: string, position: string | undefined): void {
    const after = position === undefined ? '' : `&etter=${encodeURIComponent(position)}`;
    const path = `/api/v1/endringer?antall=1000&ventSekunder=${String(position === undefined ? 0 : WAIT_SECONDS)}${after}`;
    const request = encodeRequest({ method: 'GET', path }, { authorization: `Bearer ${token}` });
    let behind = true;
    this.connections[nr]?.send(request, (answer) => {
      if (this.stopped) return;
      const page = this.pageOf(answer);
      if (!page) {
        setTimeout(() => this.follow(nr, token, position), 500);
        return;
      }
      behind = page.flere;
      if (!behind && position === undefined) this.atEnd++;
      this.note(page.endringer);
      this.follow(nr, token, page.posisjon);
    });
  }

  private pageOf(answer: Answer | undefined): ChangesPage | undefined {
    if (answer?.status === 200) return JSON.parse(answer.body) as ChangesPage;
    if (answer?.status !== 429) this.failed++;
    return undefined;
  }

  private note(changes: { avtaleId: string }[]): void {
    const now = Date.now();
    for (const { avtaleId } of changes) {
      const arrivals = this.arrivals.get(avtaleId);
      if (arrivals) arrivals.push(now);
      else this.arrivals.set(avtaleId, [now]);
    }
  }
}

interface ChangesPage {
  endringer: { avtaleId: string }[];
  posisjon: string;
  flere: boolean;
}
