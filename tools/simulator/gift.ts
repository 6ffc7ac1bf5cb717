import type { Kildemelding } from './kilde/kildemelding.ts';
import type { Tilfeldig } from './kilde/tilfeldig.ts';

type Fordervet = (god: string, melding: Kildemelding, tilfeldig: Tilfeldig) => Kildemelding;

/** A good message in which some fields hold what can't be read; `undefined` takes a field out. */
const med =
  (felter: Record<string, unknown>): Fordervet =>
  (god, { nokkel }) => ({ nokkel, verdi: JSON.stringify({ ...(JSON.parse(god) as object), ...felter }) });

/** What nobody should send: one of each kind. */
const SLAG: readonly Fordervet[] = [
  (god, { nokkel }) => ({ nokkel, verdi: god.slice(0, god.length / 2) }),
  (_, { nokkel }) => ({ nokkel, verdi: '' }),
  (god, { nokkel }) => ({ nokkel, verdi: `[${god}]` }),
  (_, { nokkel }) => ({ nokkel, verdi: 'null' }),
  (god, { nokkel }) => ({ nokkel, verdi: medUgyldigUtf8(god) }),
  med({ avtaleId: undefined }),
  med({ avtaleId: 'ikke-en-uuid' }),
  med({ avtaleId: 12 }),
  (god, _, tilfeldig) => ({ nokkel: tilfeldig.uuid(), verdi: god }),
  // A compacted topic takes no message without a key.
  (god) => ({ nokkel: '', verdi: god }),
  med({ sistEndret: undefined }),
  med({ sistEndret: 'i går' }),
  med({ sistEndret: '2026-01-01T00:00:00' }),
  med({ startDato: '2024-02-31' }),
  med({ sluttDato: 20_240_101 }),
  med({ avtaleInngått: '2026-01-01 12:00' }),
  med({ opprettetTidspunkt: '2025-02-30T10:00:00' }),
  med({ versjon: 'x' }),
  med({ avtaleNr: 1.5 }),
  med({ avtaleNr: 2 ** 40 }),
  med({ bedriftNr: 12 }),
  med({ slettemerket: 'ja' }),
  med({ feilregistrert: 1 }),
  med({ stillingprosent: {} }),
  med({ bedriftNavn: 'A\0B' }),
  () => ({ nokkel: 'ikke-en-uuid', verdi: null }),
];

/** In the place of a message: the same message, spoilt. Number by number, all kinds in turn. */
export function gift(tilfeldig: Tilfeldig, melding: Kildemelding, nummer: number): Kildemelding {
  const fordervet = SLAG[nummer % SLAG.length] ?? med({ avtaleId: undefined });
  return fordervet(String(melding.verdi), melding, tilfeldig);
}

/** In the place of a message: the avtale it was about is deleted. */
export function gravstein({ nokkel }: Kildemelding): Kildemelding {
  return { nokkel, verdi: null };
}

/** A letter of two bytes loses its second. */
function medUgyldigUtf8(god: string): Buffer {
  const bytes = Buffer.from(`${god.slice(0, -1)},"slutt":"å"}`);
  bytes[bytes.length - 3] = 0x28;
  return bytes;
}
