/** The types of Kafka's protocol, of which an answer is made; as in https://kafka.apache.org/protocol.html. */
export class WireReader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  int8 = (): number => this.bytes.readInt8(this.take(1));
  int16 = (): number => this.bytes.readInt16BE(this.take(2));
  int32 = (): number => this.bytes.readInt32BE(this.take(4));
  int64 = (): bigint => this.bytes.readBigInt64BE(this.take(8));
  uuid = (): Buffer => this.slice(16);

  string(): string {
    return this.slice(this.int16()).toString();
  }

  /** null is read as the empty one */
  compactString(): string {
    return this.slice(Math.max(0, this.varint() - 1)).toString();
  }

  array<T>(item: () => T): T[] {
    return this.items(this.int32(), item);
  }

  compactArray<T>(item: () => T): T[] {
    return this.items(this.varint() - 1, item);
  }

  /** Fields of later versions, which nobody here knows. */
  skipTags(): void {
    for (let left = this.varint(); left > 0; left--) {
      this.varint();
      this.take(this.varint());
    }
  }

  private items<T>(count: number, item: () => T): T[] {
    const items: T[] = [];
    while (items.length < count) items.push(item());
    return items;
  }

  private varint(): number {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = this.bytes.readUInt8(this.take(1));
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  private slice(length: number): Buffer {
    const from = this.take(length);
    return this.bytes.subarray(from, from + length);
  }

  /** @throws RangeError when there is no more: the answer is not what it should be */
  private take(length: number): number {
    const from = this.at;
    if (length < 0 || from + length > this.bytes.length) throw new RangeError('An answer of Kafka ends too early');
    this.at += length;
    return from;
  }
}

/** What a request is made of. */
export const wire = {
  int8: (value: number): Buffer => {
    const bytes = Buffer.alloc(1);
    bytes.writeInt8(value);
    return bytes;
  },
  int16: (value: number): Buffer => {
    const bytes = Buffer.alloc(2);
    bytes.writeInt16BE(value);
    return bytes;
  },
  int32: (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  },
  int64: (value: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(value));
    return bytes;
  },
  string: (value: string): Buffer => Buffer.concat([wire.int16(Buffer.byteLength(value)), Buffer.from(value)]),
  compactString: (value: string): Buffer => Buffer.concat([varint(Buffer.byteLength(value) + 1), Buffer.from(value)]),
  array: (items: readonly Buffer[]): Buffer => Buffer.concat([wire.int32(items.length), ...items]),
  compactArray: (items: readonly Buffer[]): Buffer => Buffer.concat([varint(items.length + 1), ...items]),
  noTags: Buffer.alloc(1),
};

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) + 128);
  }
}
