import type { Pool } from 'pg';
import { lesAdapterstatus } from '../adapter/adapterstatus.ts';
import { lesKontrakt } from '../adapter/kontrakt.queries.ts';
import type { Synkfrister } from '../adapter/synk.queries.ts';
import type { StatusDto } from './drift.dto.ts';
import { tellParkerte } from './parkerte.queries.ts';

/** What the process serves. */
export interface Hva {
  organisasjon: string;
  topic: string;
}

interface Partisjonsrad {
  partisjon: number;
  neste: string;
  slutt: string | null;
  til: Date | null;
}

/** How it goes, from what is stored: also when Kafka does not answer. */
export async function lesStatus(db: Pool, { organisasjon, topic }: Hva, frister: Synkfrister): Promise<StatusDto> {
  const kontrakt = await lesKontrakt(db);
  const { rows } = await db.query<Partisjonsrad>(
    `select o.partisjon, o.neste_offset as neste, s.slutt_offset as slutt, s.oppdatert_til as til
     from konsum_offset o left join konsum_status s using (topic, partisjon)
     where o.topic = $1 order by o.partisjon`,
    [topic],
  );
  const tider = rows.map(({ til }) => til?.toISOString() ?? '');
  // As fresh as the partition that is furthest behind; one that was never read to its end promises nothing.
  const [eldst] = tider.sort();
  return {
    organisasjon,
    topic,
    dataOppdatert: eldst || null,
    partisjoner: rows.map(tilPartisjon),
    parkerte: await tellParkerte(db),
    adapter: kontrakt ? await lesAdapterstatus(db, frister, kontrakt) : null,
  };
}

function tilPartisjon({ partisjon, neste, slutt, til }: Partisjonsrad): StatusDto['partisjoner'][number] {
  return {
    partisjon,
    nesteOffset: Number(neste),
    sluttOffset: slutt === null ? null : Number(slutt),
    etterslep: slutt === null ? null : Math.max(0, Number(slutt) - Number(neste)),
    oppdatertTil: til?.toISOString() ?? null,
  };
}
