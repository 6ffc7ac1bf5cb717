import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import type { Innslag } from './api.ts';

/** The lines of all `.ndjson` files of a directory, in the order of their names: one avtale each, or an id to delete. */
export async function lesKatalog(katalog: string): Promise<Innslag[]> {
  const innslag: Innslag[] = [];
  const filer = readdirSync(katalog).filter((navn) => navn.endsWith('.ndjson'));
  for (const fil of filer.sort()) {
    for await (const linje of createInterface({ input: createReadStream(join(katalog, fil)) })) {
      if (linje.trim() !== '') innslag.push(tilInnslag(JSON.parse(linje) as Record<string, unknown>));
    }
  }
  return innslag;
}

/** The rows of a table whose columns have the names of the fields of an avtale. */
export async function lesTabell(url: string, tabell: string): Promise<Innslag[]> {
  const klient = new pg.Client({ connectionString: url });
  await klient.connect();
  try {
    const navn = tabell.split('.').map((del) => klient.escapeIdentifier(del));
    const { rows } = await klient.query<{ rad: Record<string, unknown> }>(
      `select to_jsonb(t) as rad from ${navn.join('.')} t order by "avtaleId"`,
    );
    return rows.map(({ rad }) => tilInnslag(rad));
  } finally {
    await klient.end();
  }
}

function tilInnslag(ressurs: Record<string, unknown>): Innslag {
  const { avtaleId } = ressurs;
  if (typeof avtaleId !== 'string') throw new Error('Each avtale needs an avtaleId');
  return { id: avtaleId, ressurs };
}
