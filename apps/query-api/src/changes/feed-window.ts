import { beginningOf, toPosition, type ChangeRow, type ChangesPage, type FeedState } from './changes.queries.ts';
import { decodePosition, isAfter, type FeedPosition } from './feed-position.ts';

/** What is after a place, from memory: the same object for all who follow from there. */
export interface TailPage extends ChangesPage {
  /** ms since 1970, of the poll; null before the first load is done */
  updatedToMs: number | null;
}

/** Rows that are kept, for those who have not come for them yet. */
const MAX_ROWS = 5_000;
/** Positions whose place is remembered: those who follow ask for the same ones over and over. */
const MAX_KNOWN = 10_000;

/**
 * The last part of the change feed, as polls have read it. Nothing commits behind what has been read below the horizon, so
 * it goes on where it ended, and stays true.
 */
export class FeedWindow {
  readAt = performance.now();
  /** all after it is kept, up to `end` */
  private start: FeedPosition;
  private rows: { row: ChangeRow; place: FeedPosition }[] = [];
  private readonly known = new Map<string, FeedPosition | undefined>();

  /** @param end of the feed, as it was read */
  constructor(
    public state: FeedState,
    public end: FeedPosition,
    private updatedToMs: number | null,
  ) {
    this.start = end;
  }

  /** @param page what comes after `end`, of the same epoch */
  add({ state, rows }: ChangesPage, updatedToMs: number | null): void {
    const added = rows.map((row) => ({ row: slim(row), place: toPosition(row) }));
    this.rows.push(...added);
    this.end = added.at(-1)?.place ?? this.end;
    const dropped = this.rows.splice(0, Math.max(0, this.rows.length - MAX_ROWS));
    this.start = dropped.at(-1)?.place ?? this.start;
    this.state = state;
    this.updatedToMs = updatedToMs;
    this.readAt = performance.now();
  }

  /** Whether rows after the position may lie before what is kept. */
  isBefore(position: string): boolean {
    const place = this.placeOf(position);
    return place !== undefined && isAfter(this.start, place);
  }

  isAtEnd(position: string): boolean {
    const place = this.placeOf(position);
    return place !== undefined && !isAfter(this.end, place);
  }

  /**
   * @returns undefined when what comes after the position is not known here; a page without rows when the feed has been
   * trimmed beyond it
   */
  pageAfter(position: string, count: number): TailPage | 'nothing' | undefined {
    const place = this.placeOf(position);
    if (!place || isAfter(this.start, place)) return undefined;
    if (isAfter(beginningOf(this.state), place)) return this.empty();
    if (!isAfter(this.end, place)) return 'nothing';
    const from = this.rows.findLastIndex((one) => !isAfter(one.place, place)) + 1;
    return { ...this.empty(), rows: this.rows.slice(from, from + count).map(({ row }) => row) };
  }

  /** Of the last poll. */
  empty(): TailPage {
    return { state: this.state, rows: [], updatedToMs: this.updatedToMs };
  }

  /** undefined when it is of another epoch, or made up */
  private placeOf(position: string): FeedPosition | undefined {
    if (!this.known.has(position)) {
      if (this.known.size >= MAX_KNOWN) this.known.clear();
      this.known.set(position, this.decode(position));
    }
    return this.known.get(position);
  }

  private decode(position: string): FeedPosition | undefined {
    try {
      return decodePosition(this.state.epoch, position);
    } catch {
      return undefined;
    }
  }
}

/** Without what the statement says beside each row. */
function slim({ tx, lopenr, noekkel, type, aarsak, tidspunkt }: ChangeRow): ChangeRow {
  return { tx, lopenr, noekkel, type, aarsak, tidspunkt };
}
