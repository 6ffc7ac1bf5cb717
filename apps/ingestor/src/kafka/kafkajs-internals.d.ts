/** The parts of kafkajs that `kafkajs-patch.ts` replaces, or reads with; its own types do not tell of them. */

declare module 'kafkajs/package.json' {
  const kafkajsPackage: { version: string };
  export = kafkajsPackage;
}

declare module 'kafkajs/src/protocol/requests/fetch/index.js' {
  interface Response {
    decode: (bytes: Buffer) => Promise<unknown>;
    parse: (decoded: unknown) => Promise<unknown>;
  }
  interface Fetch {
    protocol: (version: { version: number }) => (request: object) => { request: unknown; response: Response };
  }
  const fetch: Fetch;
  export = fetch;
}

declare module 'kafkajs/src/protocol/decoder.js' {
  class Decoder {
    constructor(bytes: Buffer);
    readInt16(): number;
    readInt32(): number;
    /** a Long */
    readInt64(): { toString: () => string };
    readString(): string;
    readBytes(): Buffer | null;
    readArray<T>(read: (decoder: Decoder) => T): T[];
  }
  export = Decoder;
}

declare module 'kafkajs/src/network/connection.js' {
  import type { Socket } from 'node:net';
  import type { ConnectionOptions } from 'node:tls';
  class Connection {
    sasl: unknown;
    socketFactory: (address: {
      host: string;
      port: number;
      ssl: ConnectionOptions | null;
      onConnect: () => void;
    }) => Socket;
    requestQueue: {
      inflight: Map<number, { entry: { apiKey: number } }>;
      fulfillRequest: (answer: { correlationId: number; payload: Buffer; size: number }) => void;
    };
    constructor(options: object);
    connect(): Promise<unknown>;
    disconnect(): Promise<unknown>;
    send(protocol: object): Promise<unknown>;
  }
  export = Connection;
}

declare module 'kafkajs/src/protocol/error.js' {
  /** What a broker may answer, by its type and in words. */
  export const errorCodes: readonly { type: string; code: number; retriable: boolean; message: string }[];
}
