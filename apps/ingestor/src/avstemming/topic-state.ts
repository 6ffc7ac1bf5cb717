import { foldMessages, type AvtaleState } from '@tiltak/avtale';
import type { PoolClient } from 'pg';
import { parseMessages } from '../ingest/parse.ts';
import { decodeMemory, encodeMemory, rowToPlace, type PlaceRow } from '../ingest/place.ts';
import type { MessageBatch } from '../kafka/batch.ts';

/**
 * Plays a batch onto what the topic says of each avtale by the ordering rule, in the table `topicstand` of the connection.
 * What can't be used is passed by, as the stream parks it.
 */
export async function foldIntoTopicState(db: PoolClient, batch: MessageBatch): Promise<void> {
  const { perAvtale } = parseMessages(batch.messages, batch);
  const known = await readKnown(db, [...perAvtale.keys()]);
  const fresh = [...perAvtale].flatMap(([avtaleId, positioned]) => {
    const fold = foldMessages(avtaleId, known.get(avtaleId), positioned, () => ({ fingerprint: '' }));
    const state = fold.state ?? fold.remembered;
    return state ? [{ avtaleId, ...state }] : [];
  });
  await db.query({
    name: 'noter_topicstand',
    text: `insert into topicstand (avtale_id, sist_endret, slettet, partisjon, kafka_offset, epoke, skrevet, minne)
           select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::int[], $5::bigint[], $6::int[],
             $7::bigint[], $8::text[])
           on conflict (avtale_id) do update set sist_endret = excluded.sist_endret, slettet = excluded.slettet,
             partisjon = excluded.partisjon, kafka_offset = excluded.kafka_offset, epoke = excluded.epoke,
             skrevet = excluded.skrevet, minne = excluded.minne`,
    values: [
      fresh.map(({ avtaleId }) => avtaleId),
      fresh.map(({ sistEndret }) => sistEndret),
      fresh.map(({ deleted }) => deleted),
      fresh.map(({ position }) => position.partition),
      fresh.map(({ position }) => position.offset),
      fresh.map(({ position }) => position.epoch),
      fresh.map(({ position }) => position.writtenAt ?? null),
      fresh.map(({ memory }) => encodeMemory(memory)),
    ],
  });
}

interface KnownRow extends PlaceRow {
  avtale_id: string;
  sist_endret: string | null;
  slettet: AvtaleState['deleted'];
  minne: string | null;
}

async function readKnown(db: PoolClient, avtaleIder: string[]): Promise<Map<string, AvtaleState>> {
  const { rows } = await db.query<KnownRow>({
    name: 'les_topicstand',
    text: `select avtale_id, to_char(sist_endret at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as sist_endret,
             slettet, minne, epoke as kilde_epoke, partisjon as kilde_partisjon, kafka_offset as kilde_offset,
             skrevet as kilde_skrevet
           from topicstand where avtale_id = any($1::uuid[])`,
    values: [avtaleIder],
  });
  return new Map(rows.map((row) => [row.avtale_id, toState(row)]));
}

function toState(row: KnownRow): AvtaleState {
  return {
    sistEndret: row.sist_endret as AvtaleState['sistEndret'],
    deleted: row.slettet,
    position: rowToPlace(row),
    memory: decodeMemory(row.minne),
    feilregistrert: false,
    fingerprint: null,
    everEntered: false,
    marks: null,
  };
}
