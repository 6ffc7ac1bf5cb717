import { setTimeout as wait } from 'node:timers/promises';
import { createTestTopic, syntheticOrgnr, waitUntil, type TestTopic } from '@tiltak/testing';
import type { App } from '../local/apps.ts';
import { System } from './system.ts';

/**
 * A resource is built anew from a real topic, on the built ingestor: killed again and again, with rows that are wrong, gone
 * and made up, a topic that has lost some, and a source that goes on. It must come to what the same topic gives in an empty
 * database.
 */
const UNITS = 2_000;
const LOST = 100;
const MESSAGES = 15_000;
const LIVE = 1_500;
const PARTITIONS = 3;

let system: System;
let units: TestTopic;
let app: App;
let headers: Record<string, string>;
const random = randomFrom(7);

beforeAll(async () => {
  system = await System.create({ partitions: 1 });
  units = await createTestTopic({ partitions: PARTITIONS });
  app = await start();
  headers = { authorization: `Bearer ${await system.tokenForOnDuty()}` };
}, 120_000);
afterAll(async () => {
  await system.stop();
  await units.remove();
});

/** More than one in a hundred that would go waits for somebody. */
const settings = (): Record<string, string> => ({ VIRKSOMHET_TOPIC: units.topic, ADAPTER_MAKS_SLETTES_PROSENT: '1' });
const start = (): Promise<App> => system.startIngestor(settings());
const nr = (unit: number): string => syntheticOrgnr(unit);
const lostNumbers = Array.from({ length: LOST }, (_, unit) => nr(unit));

interface Message {
  key: string;
  value: string | null;
}

/** Something about a unit: older or newer than what was said before, by `at`; some delete it, one way or the other. */
function say(unit: number, at: number): Message {
  const kind = random(20);
  if (kind === 0) return { key: nr(unit), value: null };
  const content = {
    organisasjonsnummer: nr(unit),
    navn: `Unit ${String(unit)} ${String(at)}`,
    overordnetEnhet: random(3) === 0 ? null : nr(random(UNITS)),
    sistEndret: `2026-01-01T00:00:00.${String(at).padStart(6, '0')}Z`,
    slettemerket: kind === 1,
  };
  return { key: nr(unit), value: JSON.stringify(content) };
}

/** Whole numbers below a limit, the same each time. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function waitForStored(of = system): Promise<void> {
  await waitUntil(
    async () => {
      const ends = await units.admin.fetchTopicOffsets(units.topic);
      const rows = await of
        .sql<{
          partisjon: number;
          next: number;
        }>('select partisjon, neste_offset::int as next from konsum_offset where topic = $1', [units.topic])
        .catch(() => []);
      const stored = new Map(rows.map(({ partisjon: partition, next }) => [partition, next]));
      return ends.every(({ partition, high }) => stored.get(partition) === Number(high));
    },
    { what: 'all units to be stored', maxMs: 120_000, everyMs: 100 },
  );
}

const call = (method: string, path = '', body?: object): Promise<Response> =>
  fetch(`${app.url}/drift/v1/gjenoppbygging${path}?ressurs=virksomheter`, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
const progress = async (): Promise<Record<string, unknown>> => (await (await call('GET')).json()) as never;

const visible = (of = system): Promise<Record<string, unknown>[]> =>
  of.sql(
    `select organisasjonsnummer as nr, navn, overordnet_enhet as above, hovedenhet as top, sist_endret as at
     from virksomhet where slettet is null order by 1`,
  );

test('killed again and again beside a source that goes on, it comes to what the topic gives in an empty database', async () => {
  await units.publish(Array.from({ length: LOST }, (_, unit) => say(unit, 1)));
  const lost = await units.admin.fetchTopicOffsets(units.topic);
  const known = Array.from({ length: MESSAGES }, () => say(LOST + random(UNITS - LOST), 1 + random(500_000)));
  await units.publish(known);
  await waitForStored();
  await units.forget(lost.map(({ partition, high }) => ({ partition, offset: Number(high) })));
  await spoil();
  expect((await call('POST')).status).toBe(204);
  const publishing = goOn();
  const kills = await killMidway();
  expect(kills).toBeGreaterThan(1);
  await waitUntil(async () => (await progress())['venterPaaBekreftelse'] === true, {
    what: 'it to wait',
    maxMs: 120_000,
  });
  await publishing;
  // One of those that are named is told of before anybody says that they may go.
  const [told] = await system.sql<{ nr: string }>(
    `select nokkel as nr from gjenoppbygging_ressurs_usett where nokkel = any($1) order by 1 limit 1`,
    [lostNumbers],
  );
  const again = { organisasjonsnummer: told?.nr, navn: 'Again', sistEndret: '2026-02-01T00:00:00Z' };
  await units.publish([{ key: told?.nr ?? '', value: JSON.stringify(again) }]);
  await waitForStored();
  expect((await call('POST', '/bekreft', { bekreft: (await progress())['usette'] })).status).toBe(204);
  await app.proc.kill();
  app = await start();
  await waitUntil(async () => (await progress())['tilstand'] === 'FERDIG', { what: 'the rebuild', maxMs: 120_000 });
  await waitForStored();
  await checkFromScratch();
}, 300_000);

/** Rows that say what no message says, that are gone, and that nobody has told of. */
async function spoil(): Promise<void> {
  const decided = `organisasjonsnummer in (
    select organisasjonsnummer from virksomhet where slettet is null and organisasjonsnummer <> all($1)
    order by md5(organisasjonsnummer)`;
  await system.sql(`update virksomhet set navn = 'wrong', overordnet_enhet = null where ${decided} limit 60)`, [
    lostNumbers,
  ]);
  await system.sql(`update virksomhet set hovedenhet = '${nr(0)}' where ${decided} offset 60 limit 40)`, [lostNumbers]);
  await system.sql(`delete from virksomhet where ${decided} offset 100 limit 30)`, [lostNumbers]);
  await system.sql(
    `insert into virksomhet (organisasjonsnummer, navn, sist_endret, kilde_epoke, kilde_partisjon, kilde_offset)
     select nr, 'made up', '2026-01-01', 0, 0, 0 from unnest($1::text[]) nr on conflict do nothing`,
    [Array.from({ length: 50 }, (_, n) => nr(UNITS + n))],
  );
}

/** Newer and older things of all units, in no order, some of those that the topic has lost. */
async function goOn(): Promise<void> {
  for (let done = 0; done < LIVE; done += 50) {
    await units.publish(
      Array.from({ length: 50 }, () => {
        const unit = random(10) === 0 ? random(20) : LOST + random(UNITS - LOST);
        return say(unit, 1 + random(1_000_000 - 1));
      }),
    );
    await wait(100);
  }
}

/** @returns how often */
async function killMidway(): Promise<number> {
  let kills = 0;
  for (const share of [0.1, 0.3, 0.5, 0.7]) {
    const state = await waitUntil(
      async () => {
        const now = await progress();
        return now['venterPaaBekreftelse'] === true || Number(now['lest']) >= share * Number(now['antall'])
          ? now
          : false;
      },
      { what: 'part of it', maxMs: 120_000, everyMs: 20 },
    );
    if (state['venterPaaBekreftelse'] === true) break;
    await app.proc.kill();
    kills++;
    app = await start();
  }
  return kills;
}

/** The tables are those of the topic in an empty database, and a copy that follows the feed has the same units. */
async function checkFromScratch(): Promise<void> {
  const [rebuilt, told] = [await visible(), await toldOf()];
  const scratch = await system.onEmptyDatabase();
  try {
    await scratch.startIngestor({ ...settings(), KAFKA_GROUP_ID: `${units.topic}-scratch` });
    await waitForStored(scratch);
    expect(rebuilt.length).toBeGreaterThan(UNITS / 2);
    expect(rebuilt).toEqual(await visible(scratch));
  } finally {
    await scratch.stop();
  }
  expect(told).toEqual(rebuilt.map((row) => row['nr']));
}

/** Whose last line in the feed says that they are there. */
async function toldOf(): Promise<string[]> {
  const rows = await system.sql<{ nr: string }>(
    `select nr from (select distinct on (organisasjonsnummer) organisasjonsnummer as nr, type from virksomhet_endring
     order by organisasjonsnummer, tx desc, lopenr desc) last where type = 'ENDRET' order by 1`,
  );
  return rows.map((row) => row.nr);
}
