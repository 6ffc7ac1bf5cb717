import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { lagArbeidsmappe, opprettTestdatabase, syntetiskFnr, ventTil } from '@tiltak/testing';
import { System } from '../e2e/system.ts';
import { AdapterApi, type Innslag } from './api.ts';
import { lesKatalog, lesTabell } from './kilder.ts';
import { send, type Synkvalg } from './synk.ts';

/** What the reference adapter reads from a table and from files ends in the same avtaler. */
const IDER = Array.from({ length: 250 }, () => randomUUID()).sort();
let system: System;
let api: AdapterApi;

beforeAll(async () => {
  system = await System.lag();
  api = new AdapterApi((await system.startIngestor()).url, () => system.tokenForAdapter());
  await api.settKontrakt({
    adapterId: 'spec',
    heartbeatIntervallMinutter: 15,
    fullSynkIntervallDager: 7,
    deltaSynk: 'INGEN',
    ressurser: ['avtaler'],
  });
}, 60_000);
afterAll(() => system.stopp());

async function synk(metode: Synkvalg['metode'], innslag: Innslag[]): Promise<void> {
  const synkId = randomUUID();
  await send(api, innslag, { metode, synkId, sidestoerrelse: 100, parallelt: 2, framdrift: () => undefined });
  await ventTil(async () => (await api.hentSynk(synkId)).tilstand === 'FULLFOERT', { hva: 'the sync' });
}

type Rad = { id: string; nr: number; fnr: string; start: string; prosent: number };
const ventet = (ider: string[], nr: number): Rad[] =>
  ider.map((id, i) => ({ id, nr, fnr: syntetiskFnr(i), start: '2026-01-01', prosent: 62.5 }));

async function ventPaaLagret(rader: Rad[]): Promise<void> {
  const lagret = (): Promise<Rad[]> =>
    system.sql<Rad>(
      `select avtale_id as id, avtale_nr as nr, deltaker_fnr as fnr, start_dato::text as start, stillingprosent as prosent
       from avtale where slettet is null order by 1`,
    );
  const forventet = JSON.stringify(rader);
  await ventTil(async () => JSON.stringify(await lagret()) === forventet, {
    hva: 'what the adapter holds to be stored',
  });
}

test('a table, and then files: full, changed and deleted', async () => {
  const kilde = await opprettTestdatabase();
  const db = new pg.Client({ connectionString: kilde.url });
  await db.connect();
  const { katalog, rydd } = lagArbeidsmappe('kilder');
  try {
    await db.query(
      `create schema fagsystem;
       create table fagsystem."Avtaler" ("avtaleId" uuid primary key, "avtaleNr" int, "deltakerFnr" text, "startDato" date,
         "stillingprosent" numeric, "sistEndret" timestamptz)`,
    );
    await db.query(
      `insert into fagsystem."Avtaler" select id, 1, fnr, '2026-01-01', 62.5, '2026-01-01T12:00:00.123456Z'
       from unnest($1::uuid[], $2::text[]) as t(id, fnr)`,
      [IDER, IDER.map((_, i) => syntetiskFnr(i))],
    );
    await synk('POST', await lesTabell(kilde.url, 'fagsystem.Avtaler'));
    await ventPaaLagret(ventet(IDER, 1));

    await db.query(
      `update fagsystem."Avtaler" set "avtaleNr" = 2, "sistEndret" = "sistEndret" + interval '1 microsecond'`,
    );
    const rader = await lesTabell(kilde.url, 'fagsystem.Avtaler');
    const linjer = rader.map(({ ressurs }) => JSON.stringify(ressurs));
    writeFileSync(join(katalog, 'a.ndjson'), linjer.slice(0, 100).join('\n'));
    writeFileSync(join(katalog, 'b.ndjson'), `${linjer.slice(100).join('\n')}\n\n`);
    writeFileSync(join(katalog, 'c.txt'), 'not read');
    const innslag = await lesKatalog(katalog);
    expect(innslag).toEqual(rader);
    await synk('PATCH', innslag);
    await ventPaaLagret(ventet(IDER, 2));

    await synk(
      'DELETE',
      innslag.slice(200).map(({ id }) => ({ id })),
    );
    await ventPaaLagret(ventet(IDER, 2).slice(0, 200));
  } finally {
    await db.end();
    await kilde.slett();
    rydd();
  }
}, 60_000);

test('what is not there, or has no avtaleId, is said', async () => {
  await expect(lesTabell(system.url, 'finnes_ikke')).rejects.toThrow('relation "finnes_ikke" does not exist');
  await expect(lesTabell(system.url, 'konsum_offset')).rejects.toThrow(/avtaleId/);
});
