/** Below this an answer has bytes of its own: it is seldom, or little. */
const SMALLEST_BYTES = 64 * 1024;
/** All that a fetch asks for, and what frames it. Larger answers, of one batch that is larger, have bytes of their own. */
const LARGEST_BYTES = 4 * 1024 * 1024 + SMALLEST_BYTES;
/** What is kept to be used again; the rest is the garbage collector's. */
const FREE_BYTES = 3 * LARGEST_BYTES;

/**
 * The bytes of an answer of Kafka, for as long as somebody holds them. They are received into again when nobody does: who
 * keeps anything beyond that copies it. Who forgets to let go costs memory that the garbage collector finds, and no more.
 */
export class Lease {
  private holders = 1;

  constructor(
    readonly bytes: Buffer,
    private readonly free: (bytes: Buffer) => void,
  ) {}

  hold(): void {
    if (this.holders === 0) throw new Error('These bytes are not held by anybody, and may be others by now');
    this.holders++;
  }

  release(): void {
    if (this.holders === 0) throw new Error('These bytes are held by nobody');
    if (--this.holders === 0) this.free(this.bytes);
  }
}

/** Memory that answers are received into, used again and again: a backlog is hundreds of megabytes, 4 MiB at a time. */
export class ReceiveBuffers {
  private readonly unused: Buffer[] = [];
  private unusedBytes = 0;

  /** Of `size` bytes at least; they hold what they held before. */
  lease(size: number): Lease {
    if (size < SMALLEST_BYTES || size > LARGEST_BYTES) return new Lease(Buffer.allocUnsafeSlow(size), () => undefined);
    const wanted = Math.min(LARGEST_BYTES, 2 ** Math.ceil(Math.log2(size)));
    const at = this.unused.findLastIndex(({ length }) => length === wanted);
    const [found] = at < 0 ? [] : this.unused.splice(at, 1);
    if (found) this.unusedBytes -= found.length;
    return new Lease(found ?? Buffer.allocUnsafeSlow(wanted), (bytes) => this.keep(bytes));
  }

  private keep(bytes: Buffer): void {
    this.unused.push(bytes);
    this.unusedBytes += bytes.length;
    // The last one that was let go is taken first, so these are the ones that nobody has needed for longest.
    while (this.unusedBytes > FREE_BYTES) this.unusedBytes -= this.unused.shift()?.length ?? 0;
  }
}

/** Each answer has its length in front, which counts neither itself; then the number of its request. */
const LENGTH_BYTES = 4;
const HEADER_BYTES = 8;
/** No broker sends one; what speaks another protocol may seem to. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const SCRATCH_BYTES = 64 * 1024;

export interface Answer {
  correlationId: number;
  payload: Buffer;
  /** when it is in bytes that are used again */
  lease: Lease | undefined;
}

export interface AnswerOptions {
  buffers: ReceiveBuffers;
  /** whether the answer of this request is to be received into them */
  isLeased: (correlationId: number) => boolean;
  receive: (answer: Answer) => void;
  /** what comes is no answer of a broker: nothing more of it is read */
  fail: (error: Error) => void;
}

/**
 * The answers of one socket, which asks where to put what comes: an answer that is under way is received straight into its
 * bytes, and nothing is copied but what shares a read with another.
 */
export class AnswerReader {
  private readonly scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  private readonly header = Buffer.alloc(HEADER_BYTES);
  private headerBytes = 0;
  private payload: { bytes: Buffer; filled: number; lease: Lease | undefined } | undefined;
  private isDirect = false;
  private failed = false;

  constructor(private readonly options: AnswerOptions) {}

  /** Where the next bytes go. */
  space(): Buffer {
    const { payload } = this;
    this.isDirect = payload !== undefined;
    return payload ? payload.bytes.subarray(payload.filled) : this.scratch;
  }

  /** So many have come, to where `space` said. */
  filled(count: number): void {
    if (this.failed) return;
    if (this.isDirect) {
      if (this.payload) this.payload.filled += count;
      this.finish();
      return;
    }
    for (let at = 0; at < count && !this.failed;) at += this.take(this.scratch, at, count);
  }

  /** @returns how many were taken */
  private take(from: Buffer, at: number, end: number): number {
    if (!this.payload) {
      const taken = from.copy(this.header, this.headerBytes, at, Math.min(end, at + HEADER_BYTES - this.headerBytes));
      this.headerBytes += taken;
      if (this.headerBytes === HEADER_BYTES) this.begin();
      return taken;
    }
    const taken = from.copy(this.payload.bytes, this.payload.filled, at, end);
    this.payload.filled += taken;
    this.finish();
    return taken;
  }

  private begin(): void {
    this.headerBytes = 0;
    const size = this.header.readInt32BE(0) + LENGTH_BYTES - HEADER_BYTES;
    if (size < 0 || size > MAX_ANSWER_BYTES) {
      this.failed = true;
      this.options.fail(new Error('What answers is no broker'));
      return;
    }
    const lease = this.options.isLeased(this.header.readInt32BE(LENGTH_BYTES))
      ? this.options.buffers.lease(size)
      : undefined;
    const bytes = lease ? lease.bytes.subarray(0, size) : Buffer.allocUnsafeSlow(size);
    this.payload = { bytes, filled: 0, lease };
    this.finish();
  }

  private finish(): void {
    if (!this.payload || this.payload.filled < this.payload.bytes.length) return;
    const { bytes: payload, lease } = this.payload;
    this.payload = undefined;
    this.options.receive({ correlationId: this.header.readInt32BE(LENGTH_BYTES), payload, lease });
  }
}
