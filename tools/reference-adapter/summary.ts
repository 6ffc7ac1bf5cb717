import type { Resource, Sync } from './api.ts';

/** What became of a sync, in words: nothing is called deleted before it is. */
export function summaryOf(
  method: 'POST' | 'PATCH' | 'DELETE',
  sync: Sync,
  entries: number,
  what: Resource = 'avtaler',
): string {
  return [
    `${sync.synkId}: ${sync.tilstand}, ${String(entries)} ${what}`,
    countsOf(sync),
    ...(method === 'POST' ? [deletionOf(sync, what)] : []),
    ...sync.merknader.map(
      ({ slag, felt, mente, antall }) =>
        `  ${slag} ${felt}: in ${String(antall)}${mente === null ? '' : `; did you mean ${mente}?`}`,
    ),
  ].join('\n');
}

function countsOf({ endret, uendret, foreldet, parkert, mottatteRessurser }: Sync): string {
  const waiting = mottatteRessurser - endret - uendret - foreldet - parkert;
  const counts = { changed: endret, 'as stored already': uendret, 'older than what is stored': foreldet };
  return Object.entries({ ...counts, 'could not be stored': parkert, 'not stored yet': waiting })
    .filter(([what, count]) => count > 0 || what === 'changed')
    .map(([what, count]) => `${String(count)} ${what}`)
    .join(', ');
}

function deletionOf({ tilstand, skalSlettes }: Sync, what: Resource): string {
  const count = String(skalSlettes ?? 0);
  switch (tilstand) {
    case 'VENTER_PAA_BEKREFTELSE':
      return `NOTHING IS DELETED: ${count} ${what} are in none of its pages, and wait. Is that right? Then run it again with --bekreft`;
    case 'SLETTER':
      return `${count} ${what} are being deleted`;
    case 'FULLFOERT':
      return `${count} ${what} that it did not hold are deleted`;
    default:
      return 'Nothing is deleted';
  }
}

/** Whether all its entries have been counted. */
export function isCounted({ endret, uendret, foreldet, parkert, mottatteRessurser }: Sync): boolean {
  return endret + uendret + foreldet + parkert >= mottatteRessurser;
}
