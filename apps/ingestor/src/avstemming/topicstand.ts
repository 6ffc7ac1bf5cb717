import { spillAv, type Tilstand } from '@tiltak/avtale';
import type { PoolClient } from 'pg';
import { tolk } from '../avtaler/avtaler.innlesning.ts';
import type { Meldingsbatch } from '../kafka/batch.ts';

/** What the topic says of each avtale by the ordering rule, in a table that goes with the connection. */
export async function lagTopicstand(db: PoolClient): Promise<void> {
  await db.query(
    `create temp table topicstand (avtale_id uuid primary key, sist_endret timestamptz(6), slettet text,
       partisjon integer not null, kafka_offset bigint not null)`,
  );
}

/** Plays a batch onto what is known of its avtaler. What can't be used is passed by, as the stream parks it. */
export async function noterTopicstand(db: PoolClient, { partisjon, meldinger }: Meldingsbatch): Promise<void> {
  const { perAvtale } = tolk(meldinger, partisjon);
  const kjente = await lesKjente(db, [...perAvtale.keys()]);
  const nye = [...perAvtale].flatMap(([avtaleId, plasserte]) => {
    const { tilstand } = spillAv(avtaleId, kjente.get(avtaleId), plasserte, () => ({ avtrykk: '' }));
    return tilstand ? [{ avtaleId, ...tilstand }] : [];
  });
  await db.query({
    name: 'noter_topicstand',
    text: `insert into topicstand
           select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::int[], $5::bigint[])
           on conflict (avtale_id) do update set sist_endret = excluded.sist_endret, slettet = excluded.slettet,
             partisjon = excluded.partisjon, kafka_offset = excluded.kafka_offset`,
    values: [
      nye.map(({ avtaleId }) => avtaleId),
      nye.map(({ sistEndret }) => sistEndret),
      nye.map(({ slettet }) => slettet),
      nye.map(({ plass }) => plass.partisjon),
      nye.map(({ plass }) => plass.offset),
    ],
  });
}

async function lesKjente(db: PoolClient, avtaleIder: string[]): Promise<Map<string, Tilstand>> {
  const { rows } = await db.query<{
    avtale_id: string;
    sist_endret: string | null;
    slettet: Tilstand['slettet'];
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
    rows.map(({ avtale_id: avtaleId, sist_endret: sistEndret, slettet, partisjon, kafka_offset: offset }) => [
      avtaleId,
      {
        sistEndret: sistEndret as Tilstand['sistEndret'],
        slettet,
        plass: { partisjon, offset: Number(offset) },
        feilregistrert: false,
        avtrykk: null,
      },
    ]),
  );
}
