import { randomUUID } from 'node:crypto';
import { ContractError, migrate, requireNotTooOld } from '@tiltak/database';
import { syntheticFnr, waitUntil } from '@tiltak/testing';
import pg from 'pg';
import { VersionCheck } from '../relations/version-check.job.ts';
import { startTestIngest, type TestIngest } from '../testing/test-ingest.ts';

/** Which versions may write side by side: the database lets no other in. */
let setup: TestIngest;
beforeAll(async () => {
  setup = await startTestIngest();
});
afterAll(() => setup.stop());

/** As 1.0.0 connects, or another that says by which contract it writes. */
async function asVersion<T>(contract: number | undefined, run: (db: pg.Client) => Promise<T>): Promise<T> {
  const { host, port, database, user, password } = setup.pool.options;
  const options = contract === undefined ? '-c TimeZone=UTC' : `-c datadeling.kontrakt=${String(contract)}`;
  const db = new pg.Client({ host, port, database, user, password, options });
  await db.connect();
  try {
    return await run(db);
  } finally {
    await db.end();
  }
}

const WRITES = [
  `insert into konsum_offset values ('t', 0, 1) on conflict (topic, partisjon) do update set neste_offset = 2`,
  `update avtale set versjon = 1`,
  `insert into endring (avtale_id, type) values (gen_random_uuid(), 'ENDRET')`,
  'delete from relasjon',
];

test('a version that says nothing, as 1.0.0, or that is too old, can write nothing, and parks nothing', async () => {
  for (const contract of [undefined, 1]) {
    await asVersion(contract, async (db) => {
      for (const sql of WRITES) await expect(db.query(sql)).rejects.toMatchObject({ code: '57D01' });
    });
  }
  expect(await setup.owner.query('select from konsum_offset')).toEqual([]);
});

test('this version can, and one that is newer', async () => {
  for (const contract of [2, 3]) {
    await asVersion(contract, async (db) => {
      for (const sql of WRITES) await db.query(sql);
    });
  }
});

test('an ingestor that is too old for the database does not start', async () => {
  await setup.owner.query('update instans set kontrakt_minst = 3');
  await expect(requireNotTooOld(setup.owner)).rejects.toThrow(ContractError);
  await setup.owner.query('update instans set kontrakt_minst = 2');
  await requireNotTooOld(setup.owner);
});

test('the migration job waits for nobody, and refuses while an ingestor is alive that is too old', async () => {
  await setup.owner.query(`insert into ingestor_i_drift values ($1, 'gammel', 1, clock_timestamp())`, [randomUUID()]);
  await expect(migrate(setup.owner)).rejects.toThrow(/older ingestor is alive: gammel \(contract 1\)/);
  await setup.owner.query(`update ingestor_i_drift set sett = sett - interval '21 seconds'`);
  await migrate(setup.owner);
});

test('let in again, an older version writes; the next migration job shuts it out, and has relations checked', async () => {
  await setup.owner.query(`update instans set kontrakt_minst = 1, relasjoner_kontrollert = 'denne'`);
  await asVersion(undefined, (db) => db.query('delete from relasjon'));
  await migrate(setup.owner);
  expect(await setup.owner.query('select kontrakt_minst, relasjoner_kontrollert from instans')).toEqual([
    { kontrakt_minst: 2, relasjoner_kontrollert: null },
  ]);
});

test('after a change of version all relations are checked, once, when no other version is alive', async () => {
  const deltaker = randomUUID();
  await setup.owner.query(`insert into relasjon values ($1, gen_random_uuid(), 'NESTE', gen_random_uuid())`, [
    deltaker,
  ]);
  await setup.owner.query(
    `insert into avtale (avtale_id, deltaker_id, deltaker_fnr, feilregistrert, kilde_partisjon, kilde_offset)
     values (gen_random_uuid(), $1, $2, false, 0, 0)`,
    [deltaker, syntheticFnr(1)],
  );
  await setup.owner.query(`insert into ingestor_i_drift values ($1, 'annet', 2, clock_timestamp())`, [randomUUID()]);
  const left = (): Promise<unknown[]> => setup.owner.query('select from relasjon');
  const seen = async (build: string): Promise<boolean> =>
    (await setup.owner.query<unknown[]>('select from ingestor_i_drift where bygg = $1', [build])).length > 0;
  const check = new VersionCheck(setup.owner, setup.pool, setup.ingestor.giveWay, 'denne');
  check.start(20);
  await waitUntil(() => seen('denne'), { what: 'the ingestor to tell that it lives' });
  expect(await left()).toHaveLength(1);
  await setup.owner.query(`update ingestor_i_drift set sett = sett - interval '1 hour' where bygg = 'annet'`);
  await waitUntil(async () => (await left()).length === 0, { what: 'the relations to be put right' });
  const checked = (): Promise<{ by: string }[]> =>
    setup.owner.query('select relasjoner_kontrollert as by from instans');
  await waitUntil(async () => (await checked())[0]?.by === 'denne', { what: 'the check to be noted' });
  await check.stop();
});
