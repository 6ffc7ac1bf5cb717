import { foldMessages, type AvtaleState } from '@tiltak/avtale';
import type { PoolClient } from 'pg';
import { parseMessages } from '../ingest/parse.ts';
import type { MessageBatch } from '../kafka/batch.ts';

/**
 * Plays a batch onto what the topic says of each avtale by the ordering rule, in the table `topicstand` of the connection.
 * What can't be used is passed by, as the stream parks it.
 */
export async function foldIntoTopicState(db: PoolClient, { partition, messages }: MessageBatch): Promise<void> {
  const { perAvtale } = parseMessages(messages, partition);
  const known = await readKnown(db, [...perAvtale.keys()]);
  const fresh = [...perAvtale].flatMap(([avtaleId, positioned]) => {
    const { state } = foldMessages(avtaleId, known.get(avtaleId), positioned, () => ({ fingerprint: '' }));
    return state ? [{ avtaleId, ...state }] : [];
  });
  await db.query({
    name: 'noter_topicstand',
    text: `insert into topicstand
           select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::int[], $5::bigint[])
           on conflict (avtale_id) do update set sist_endret = excluded.sist_endret, slettet = excluded.slettet,
             partisjon = excluded.partisjon, kafka_offset = excluded.kafka_offset`,
    values: [
      fresh.map(({ avtaleId }) => avtaleId),
      fresh.map(({ sistEndret }) => sistEndret),
      fresh.map(({ deleted }) => deleted),
      fresh.map(({ position }) => position.partition),
      fresh.map(({ position }) => position.offset),
    ],
  });
}

async function readKnown(db: PoolClient, avtaleIder: string[]): Promise<Map<string, AvtaleState>> {
  const { rows } = await db.query<{
    avtale_id: string;
    sist_endret: string | null;
    slettet: AvtaleState['deleted'];
    partisjon: number;
    kafka_offset: string;
  }>({
    name: 'les_topicstand',
    text: `select avtale_id, to_char(sist_endret at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as sist_endret,
             slettet, partisjon, kafka_offset
           from topicstand where avtale_id = any($1::uuid[])`,
    values: [avtaleIder],
  });
  return new Map(
    rows.map(
      ({
        avtale_id: avtaleId,
        sist_endret: sistEndret,
        slettet: deleted,
        partisjon: partition,
        kafka_offset: offset,
      }) => [
        avtaleId,
        {
          sistEndret: sistEndret as AvtaleState['sistEndret'],
          deleted,
          position: { partition, offset: Number(offset) },
          feilregistrert: false,
          fingerprint: null,
          everEntered: false,
          marks: null,
        },
      ],
    ),
  );
}
