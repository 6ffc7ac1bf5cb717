import {
  foldResource,
  isSamePlace,
  type PositionedResourceMessage,
  type ResourceState,
  type ResourceValues,
} from '@tiltak/resource';
import type { PoolClient } from 'pg';
import type { EncodedResource, ResourceQueries, ResourceRow } from './resource.queries.ts';

/** Told of keys before these are written; what it answers with is done after that, in the same transaction. */
export type Follow = (db: PoolClient, keys: readonly string[]) => Promise<() => Promise<void>>;

/** A row as the message says that decided it. */
type Decided = ResourceRow & { known: ResourceState };

/**
 * Makes rows what the messages that decided them say today: the mapping may be another by now, or somebody may have
 * changed the row. Content with another fingerprint is a version of its own.
 *
 * @returns their keys
 */
export async function repairDeviations(
  db: PoolClient,
  queries: ResourceQueries,
  {
    perKey,
    encode,
    follow,
  }: {
    perKey: ReadonlyMap<string, readonly PositionedResourceMessage[]>;
    encode: (values: ResourceValues) => EncodedResource;
    follow: Follow | undefined;
  },
): Promise<string[]> {
  const known = await queries.lockStates(db, [...perKey.keys()]);
  const rows = [...perKey].flatMap(([key, positioned]) => {
    const stored = known.get(key);
    const message = stored && positioned.find(({ position }) => isSamePlace(position, stored.position));
    return message ? [decidedBy(key, stored, message, encode)] : [];
  });
  const deviating = await queries.readDeviating(db, rows);
  const repaired = rows.filter(({ key }) => deviating.has(key));
  const keys = repaired.map(({ key }) => key);
  if (keys.length === 0) return [];
  const after = await follow?.(db, keys);
  await queries.rewrite(db, repaired);
  await queries.noteLearned(db, keys);
  const isGone = ({ content }: Decided): boolean => content === undefined;
  await queries.deleteHistory(
    db,
    repaired.filter(isGone).map(({ key }) => key),
  );
  await queries.insertVersions(
    db,
    repaired.flatMap(({ content, state, known: { fingerprint } }) =>
      content && content.fingerprint !== fingerprint ? [{ content, position: state.position }] : [],
    ),
  );
  const told = repaired.filter((row) => !isGone(row) || row.known.deleted === null);
  await queries.insertChanges(
    db,
    told.map((row) => ({ key: row.key, type: isGone(row) ? 'SLETTET' : 'ENDRET' })),
  );
  await after?.();
  return keys;
}

/** A tombstone doesn't say when what it deleted was changed, nor a message what those before it said. */
function decidedBy(
  key: string,
  stored: ResourceState,
  message: PositionedResourceMessage,
  encode: (values: ResourceValues) => EncodedResource,
): Decided {
  const { state = stored, content } = foldResource(key, undefined, [message], encode);
  const sistEndret = state.deleted === 'GRAVSTEIN' ? stored.sistEndret : state.sistEndret;
  return { key, state: { ...state, sistEndret, memory: stored.memory }, content, known: stored };
}

/**
 * What is left is a marker at its own place that says nothing: whatever comes after it is newer. The rows must be locked.
 */
export async function removeRows(
  db: PoolClient,
  queries: ResourceQueries,
  { going, follow }: { going: ReadonlyMap<string, ResourceState>; follow: Follow | undefined },
): Promise<void> {
  const keys = [...going.keys()];
  if (keys.length === 0) return;
  const after = await follow?.(db, keys);
  const rows = [...going].map(([key, known]): Decided => {
    // Without a time, so that all of other partitions is after it.
    const position = { ...known.position, writtenAt: undefined, deletesBefore: undefined };
    const state = { sistEndret: null, position, deleted: 'GRAVSTEIN', fingerprint: null, memory: undefined } as const;
    return { key, state, content: undefined, known };
  });
  await queries.write(db, rows);
  await queries.deleteHistory(db, keys);
  await queries.insertChanges(
    db,
    keys.map((key) => ({ key, type: 'SLETTET' })),
  );
  await after?.();
}
