/** A message as Kafka gave it. */
export interface RaaMelding {
  offset: number;
  nokkel: Buffer | null;
  verdi: Buffer | null;
  /** of a tombstone: the offset that it does not delete beyond */
  slettFoer?: number;
}

/** Consecutive messages of one partition; a compacted topic has holes between the offsets. */
export interface Meldingsbatch {
  topic: string;
  partisjon: number;
  /** The position that was asked for: everything from here to the first message is known to be a hole. */
  hentetFra: number;
  meldinger: readonly RaaMelding[];
  /** the position after the batch */
  nesteOffset: number;
  /** the partition's end when the batch was fetched */
  sluttOffset: number;
}
