import type { Resource, Sync } from './api.ts';

type Counts = Pick<Sync, 'endret' | 'uendret' | 'foreldet' | 'parkert' | 'mottatteRessurser'>;

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

/** The same of changes that went in several syncs. @param refused ids of all that are not taken as they are */
export function summaryOfAll(
  { sent, syncs, refused: told }: { sent: number; syncs: readonly Sync[]; refused: readonly string[] },
  refused: readonly string[],
): string {
  const sum = (of: (sync: Sync) => number): number => syncs.reduce((total, sync) => total + of(sync), 0);
  const counts = {
    mottatteRessurser: sent,
    endret: sum(({ endret }) => endret),
    uendret: sum(({ uendret }) => uendret),
    foreldet: sum(({ foreldet }) => foreldet),
    parkert: sum(({ parkert }) => parkert),
  };
  return [
    `${String(sent)} virksomheter sent${sent === 0 ? '' : `: ${countsOf(counts)}`}`,
    ...(refused.length === 0 ? [] : [`${String(refused.length)} are refused, and not sent until they are changed:`]),
    ...(told.length === 0 ? refused.slice(0, MAX_TOLD) : told.slice(0, MAX_TOLD)).map((why) => `  ${why}`),
  ].join('\n');
}

const MAX_TOLD = 5;

function countsOf({ endret, uendret, foreldet, parkert, mottatteRessurser }: Counts): string {
  const waiting = mottatteRessurser - endret - uendret - foreldet - parkert;
  const counts = { changed: endret, 'as stored already': uendret, 'older than what is stored': foreldet };
  return Object.entries({ ...counts, 'could not be stored': parkert, 'not counted yet': waiting })
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
export function isCounted({ endret, uendret, foreldet, parkert, mottatteRessurser }: Counts): boolean {
  return endret + uendret + foreldet + parkert >= mottatteRessurser;
}
