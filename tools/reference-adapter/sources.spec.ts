import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { createWorkDir, createTestDatabase, syntheticFnr, waitUntil } from '@tiltak/testing';
import { System } from '../e2e/system.ts';
import { AdapterApi, type Entry } from './api.ts';
import { startHeartbeat } from './heartbeat.ts';
import { readDirectory, readTable } from './sources.ts';
import { isCounted, summaryOf } from './summary.ts';
import { send, type SyncOptions } from './sync.ts';

/** What the reference adapter reads from a table and from files ends in the same avtaler. */
const IDS = Array.from({ length: 250 }, () => randomUUID()).sort();
let system: System;
let api: AdapterApi;

beforeAll(async () => {
  system = await System.create();
  api = new AdapterApi((await system.startIngestor()).url, () => system.tokenForAdapter());
  await api.settKontrakt({
    adapterId: 'spec',
    heartbeatIntervallMinutter: 15,
    fullSynkIntervallDager: 7,
    deltaSynk: 'INGEN',
    ressurser: ['avtaler'],
    ukjenteFelter: 'AVVIS',
  });
}, 60_000);
afterAll(() => system.stop());

async function sync(method: SyncOptions['method'], entries: Entry[]): Promise<void> {
  const syncId = randomUUID();
  await send(api, entries, {
    method,
    syncId,
    pageSize: 100,
    concurrency: 2,
    progress: () => undefined,
  });
  await waitUntil(async () => (await api.hentSynk(syncId)).tilstand === 'FULLFOERT', { what: 'the sync' });
}

type Row = { id: string; nr: number; fnr: string; start: string; prosent: number };
const expectedRows = (ids: string[], nr: number): Row[] =>
  ids.map((id, i) => ({ id, nr, fnr: syntheticFnr(i), start: '2026-01-01', prosent: 62.5 }));

async function waitForStored(rows: Row[]): Promise<void> {
  const stored = (): Promise<Row[]> =>
    system.sql<Row>(
      `select avtale_id as id, avtale_nr as nr, deltaker_fnr as fnr, start_dato::text as start, stillingprosent as prosent
       from avtale where slettet is null order by 1`,
    );
  const expected = JSON.stringify(rows);
  await waitUntil(async () => JSON.stringify(await stored()) === expected, {
    what: 'what the adapter holds to be stored',
  });
}

test('a table, and then files: full, changed and deleted', async () => {
  const source = await createTestDatabase();
  const db = new pg.Client({ connectionString: source.url });
  await db.connect();
  const { directory, clean } = createWorkDir('kilder');
  try {
    await db.query(
      `create schema fagsystem;
       create table fagsystem."Avtaler" ("avtaleId" uuid primary key, "avtaleNr" int, "deltakerFnr" text, "startDato" date,
         "stillingprosent" numeric, "sistEndret" timestamptz)`,
    );
    await db.query(
      `insert into fagsystem."Avtaler" select id, 1, fnr, '2026-01-01', 62.5, '2026-01-01T12:00:00.123456Z'
       from unnest($1::uuid[], $2::text[]) as t(id, fnr)`,
      [IDS, IDS.map((_, i) => syntheticFnr(i))],
    );
    await sync('POST', await readTable(source.url, 'fagsystem.Avtaler'));
    await waitForStored(expectedRows(IDS, 1));

    await db.query(
      `update fagsystem."Avtaler" set "avtaleNr" = 2, "sistEndret" = "sistEndret" + interval '1 microsecond'`,
    );
    const rows = await readTable(source.url, 'fagsystem.Avtaler');
    const lines = rows.map(({ ressurs: resource }) => JSON.stringify(resource));
    writeFileSync(join(directory, 'a.ndjson'), lines.slice(0, 100).join('\n'));
    writeFileSync(join(directory, 'b.ndjson'), `${lines.slice(100).join('\n')}\n\n`);
    writeFileSync(join(directory, 'c.txt'), 'not read');
    const entries = await readDirectory(directory);
    expect(entries).toEqual(rows);
    await sync('PATCH', entries);
    await waitForStored(expectedRows(IDS, 2));

    await sync(
      'DELETE',
      entries.slice(200).map(({ id }) => ({ id })),
    );
    await waitForStored(expectedRows(IDS, 2).slice(0, 200));
  } finally {
    await db.end();
    await source.remove();
    clean();
  }
}, 60_000);

test('what waits is said to wait, and nothing is called deleted that is not; and a heartbeat is sent', async () => {
  const sync = {
    synkId: 's',
    startet: '2026-01-01T00:00:00Z',
    tilstand: 'VENTER_PAA_BEKREFTELSE',
    antallSider: 1,
    mottatteSider: 1,
    mottatteRessurser: 4,
    skalSlettes: 7,
    endret: 1,
    uendret: 2,
    foreldet: 1,
    parkert: 0,
    merknader: [],
  };
  expect(summaryOf('POST', sync, 4)).toContain('1 changed, 2 as stored already, 1 older than what is stored');
  expect(summaryOf('POST', sync, 4)).toContain('NOTHING IS DELETED: 7 avtaler');
  expect(summaryOf('POST', { ...sync, tilstand: 'FULLFOERT' }, 4)).toContain(
    '7 avtaler that it did not hold are deleted',
  );
  expect(summaryOf('PATCH', { ...sync, tilstand: 'FULLFOERT', skalSlettes: null }, 4)).not.toMatch(/delete/i);
  expect(isCounted({ ...sync, uendret: 1 })).toBe(false);
  const heartbeat = startHeartbeat(api, 60_000);
  await waitUntil(async () => (await system.sql('select from adapter where hjerteslag is not null')).length === 1, {
    what: 'the heartbeat',
  });
  heartbeat.stop();
});

test('what is not there, or has no avtaleId, is said', async () => {
  await expect(readDirectory('/finnes/ikke')).rejects.toThrow('There is no directory /finnes/ikke.');
  const { directory, clean } = createWorkDir('tom');
  await expect(readDirectory(directory)).rejects.toThrow('There is no file that ends in .ndjson');
  writeFileSync(join(directory, 'a.ndjson'), '{"avtaleId": 12345678901x}');
  await expect(readDirectory(directory)).rejects.toThrow(/^a.ndjson, line 1 is not JSON.$/);
  clean();
  await expect(readTable(system.url, 'finnes_ikke')).rejects.toThrow('relation "finnes_ikke" does not exist');
  await expect(readTable(system.url, 'konsum_offset')).rejects.toThrow(/avtaleId/);
});
