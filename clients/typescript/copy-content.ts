import type { Schemas } from './client.ts';

/** What a copy is of, of all that the consumer may see. */
export interface CopyContent {
  abonnement?: string | undefined;
  felter?: readonly Schemas['Avtalefelt'][] | undefined;
}

/** Without its id nobody knows which avtale it is. In one order, so that the same fields are the same request. */
export function withId(felter: readonly Schemas['Avtalefelt'][]): Schemas['Avtalefelt'][] {
  return [...new Set(['avtaleId' as const, ...felter])].sort();
}

/**
 * What stands behind the position of a copy, the same in every language: one that is of something else is then known, and
 * made anew. A position itself has no space.
 */
function nameOf({ abonnement, felter }: CopyContent): string {
  const subset = abonnement === undefined ? '' : ` abonnement=${abonnement}`;
  return felter ? `${subset} felter=${withId(felter).join(',')}` : subset;
}

/** As a store keeps it. */
export function toStored(position: string, content: CopyContent): string {
  return position + nameOf(content);
}

/** @returns undefined for the place of a copy of something else */
export function toPosition(stored: string, content: CopyContent): string | undefined {
  const [position = ''] = stored.split(' ', 1);
  return toStored(position, content) === stored ? position : undefined;
}
