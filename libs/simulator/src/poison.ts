import type { SourceMessage } from './source/source-message.ts';
import type { Random } from './source/random.ts';

type Corrupt = (good: string, message: SourceMessage, random: Random) => SourceMessage;

/** A good message in which some fields hold what can't be read; `undefined` takes a field out. */
const withFields =
  (fields: Record<string, unknown>): Corrupt =>
  (good, { key }) => ({ key, value: JSON.stringify({ ...(JSON.parse(good) as object), ...fields }) });

/** What nobody should send: one of each kind. */
const KINDS: readonly Corrupt[] = [
  (good, { key }) => ({ key, value: good.slice(0, good.length / 2) }),
  (_, { key }) => ({ key, value: '' }),
  (good, { key }) => ({ key, value: `[${good}]` }),
  (_, { key }) => ({ key, value: 'null' }),
  (good, { key }) => ({ key, value: withInvalidUtf8(good) }),
  withFields({ avtaleId: undefined }),
  withFields({ avtaleId: 'ikke-en-uuid' }),
  withFields({ avtaleId: 12 }),
  (good, _, random) => ({ key: random.uuid(), value: good }),
  // A compacted topic takes no message without a key.
  (good) => ({ key: '', value: good }),
  withFields({ sistEndret: undefined }),
  withFields({ sistEndret: 'i går' }),
  withFields({ sistEndret: '2026-01-01T00:00:00' }),
  withFields({ startDato: '2024-02-31' }),
  withFields({ sluttDato: 20_240_101 }),
  withFields({ avtaleInngått: '2026-01-01 12:00' }),
  withFields({ opprettetTidspunkt: '2025-02-30T10:00:00' }),
  withFields({ versjon: 'x' }),
  withFields({ avtaleNr: 1.5 }),
  withFields({ avtaleNr: 2 ** 40 }),
  withFields({ bedriftNr: 12 }),
  withFields({ slettemerket: 'ja' }),
  withFields({ feilregistrert: 1 }),
  withFields({ stillingprosent: {} }),
  withFields({ bedriftNavn: 'A\0B' }),
  () => ({ key: 'ikke-en-uuid', value: null }),
  // Nothing newer would ever come.
  withFields({ sistEndret: '9000-01-01T00:00:00Z' }),
  // More than an index can hold.
  withFields({ deltakerFnr: 'x'.repeat(3_000) }),
  withFields({ tiltakstype: 'Å'.repeat(101) }),
  (good, { key }) => ({
    key,
    value: `${good.slice(0, -1)},"ukjent":${'['.repeat(10_000)}"\\u0000"${']'.repeat(10_000)}}`,
  }),
];

/** In the place of a message: the same message, spoilt. Number by number, all kinds in turn. */
export function poison(random: Random, message: SourceMessage, n: number): SourceMessage {
  const corrupt = KINDS[n % KINDS.length] ?? withFields({ avtaleId: undefined });
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
