import type { SourceMessage } from './source/source-message.ts';
import type { Random } from './source/random.ts';

type Corrupt = (good: string, message: SourceMessage, random: Random) => SourceMessage;

/** A good message in which some fields hold what can't be read; `undefined` takes a field out. */
const withParts =
  (fields: Record<string, unknown>): Corrupt =>
  (good, { key }) => ({ key, value: JSON.stringify({ ...(JSON.parse(good) as object), ...fields }) });

/** What nobody should send: one of each kind. */
const KIND: readonly Corrupt[] = [
  (good, { key }) => ({ key, value: good.slice(0, good.length / 2) }),
  (_, { key }) => ({ key, value: '' }),
  (good, { key }) => ({ key, value: `[${good}]` }),
  (_, { key }) => ({ key, value: 'null' }),
  (good, { key }) => ({ key, value: withInvalidUtf8(good) }),
  withParts({ avtaleId: undefined }),
  withParts({ avtaleId: 'ikke-en-uuid' }),
  withParts({ avtaleId: 12 }),
  (good, _, random) => ({ key: random.uuid(), value: good }),
  // A compacted topic takes no message without a key.
  (good) => ({ key: '', value: good }),
  withParts({ sistEndret: undefined }),
  withParts({ sistEndret: 'i går' }),
  withParts({ sistEndret: '2026-01-01T00:00:00' }),
  withParts({ startDato: '2024-02-31' }),
  withParts({ sluttDato: 20_240_101 }),
  withParts({ avtaleInngått: '2026-01-01 12:00' }),
  withParts({ opprettetTidspunkt: '2025-02-30T10:00:00' }),
  withParts({ versjon: 'x' }),
  withParts({ avtaleNr: 1.5 }),
  withParts({ avtaleNr: 2 ** 40 }),
  withParts({ bedriftNr: 12 }),
  withParts({ slettemerket: 'ja' }),
  withParts({ feilregistrert: 1 }),
  withParts({ stillingprosent: {} }),
  withParts({ bedriftNavn: 'A\0B' }),
  () => ({ key: 'ikke-en-uuid', value: null }),
];

/** In the place of a message: the same message, spoilt. Number by number, all kinds in turn. */
export function poison(random: Random, message: SourceMessage, n: number): SourceMessage {
  const corrupt = KIND[n % KIND.length] ?? withParts({ avtaleId: undefined });
  return corrupt(String(message.value), message, random);
}

/** In the place of a message: the avtale it was about is deleted. */
export function tombstone({ key }: SourceMessage): SourceMessage {
  return { key, value: null };
}

/** A letter of two bytes loses its second. */
function withInvalidUtf8(good: string): Buffer {
  const bytes = Buffer.from(`${good.slice(0, -1)},"slutt":"å"}`);
  bytes[bytes.length - 3] = 0x28;
  return bytes;
}
