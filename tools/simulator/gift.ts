import type { Kildemelding } from './kildemelding.ts';
import type { Tilfeldig } from './tilfeldig.ts';

/** What nobody should send: one of each kind, in turn. */
export function gift(tilfeldig: Tilfeldig, nummer: number): Kildemelding {
  const id = tilfeldig.uuid();
  const med = (felter: Record<string, unknown>): Kildemelding => ({
    nokkel: id,
    verdi: JSON.stringify({ avtaleId: id, sistEndret: '2026-01-01T00:00:00Z', ...felter }),
  });
  const slag: (() => Kildemelding)[] = [
    () => ({ nokkel: id, verdi: '{"avtaleId": "' }),
    () => ({ nokkel: id, verdi: '' }),
    () => ({ nokkel: id, verdi: '[1, 2]' }),
    () => ({ nokkel: id, verdi: 'null' }),
    () => ({ nokkel: id, verdi: Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d]) }),
    () => med({ avtaleId: undefined }),
    () => med({ avtaleId: 'ikke-en-uuid' }),
    () => ({ ...med({}), nokkel: tilfeldig.uuid() }),
    // A compacted topic takes no message without a key.
    () => ({ ...med({}), nokkel: '' }),
    () => med({ sistEndret: undefined }),
    () => med({ sistEndret: 'i går' }),
    () => med({ sistEndret: '2026-01-01T00:00:00' }),
    () => med({ startDato: '2024-02-31' }),
    () => med({ avtaleInngått: '2026-01-01 12:00' }),
    () => med({ versjon: 'x' }),
    () => med({ avtaleNr: 1.5 }),
    () => med({ avtaleNr: 2 ** 40 }),
    () => med({ bedriftNr: 12 }),
    () => med({ slettemerket: 'ja' }),
    () => med({ feilregistrert: 1 }),
    () => med({ stillingprosent: {} }),
    () => med({ bedriftNavn: 'A\0B' }),
    () => ({ nokkel: 'ikke-en-uuid', verdi: null }),
  ];
  return (slag[nummer % slag.length] ?? (() => med({})))();
}

/** Instead of a message: the avtale it was about is deleted. */
export function gravstein({ nokkel }: Kildemelding): Kildemelding {
  return { nokkel, verdi: null };
}
