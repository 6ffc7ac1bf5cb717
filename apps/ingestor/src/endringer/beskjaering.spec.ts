import { lagDatakilde, migrer } from '@tiltak/database';
import { opprettTestdatabase, type Testdatabase } from '@tiltak/testing';
import type { DataSource } from 'typeorm';
import { Beskjaering } from './beskjaering.ts';

let database: Testdatabase;
let eier: DataSource;
let skriver: DataSource;

const fast = { sslmode: 'disable', poolSize: 2, statementTimeoutMs: 30_000, ventPaaForbindelseMs: 5_000 } as const;

beforeAll(async () => {
  database = await opprettTestdatabase();
  const koble = (hvem: typeof database.ingestor): Promise<DataSource> =>
    lagDatakilde({ ...database, ...hvem, ...fast, applicationName: 'spec' }).initialize();
  eier = await koble(database.migrering);
  await migrer(eier);
  skriver = await koble(database.ingestor);
});
afterAll(async () => {
  await Promise.all([eier.destroy(), skriver.destroy()]);
  await database.slett();
});
beforeEach(() => eier.query(`delete from endring; update instans set beskaaret_til = '0'`));

/** @param rader transaction id and age in days */
async function lagre(rader: [tx: number, dager: number][]): Promise<void> {
  for (const [tx, dager] of rader) {
    await eier.query(
      `insert into endring (tx, avtale_id, type, tidspunkt)
       values ($1::text::xid8, gen_random_uuid(), 'ENDRET', now() - make_interval(days => $2))`,
      [String(tx), dager],
    );
  }
}

async function etterBeskjaering(): Promise<{ igjen: number[]; beskaaretTil: number }> {
  await new Beskjaering(skriver, 90).beskjaer();
  const rader = await eier.query<{ tx: string }[]>('select tx from endring order by tx, lopenr');
  const [instans] = await eier.query<{ beskaaret_til: string }[]>('select beskaaret_til from instans');
  return { igjen: rader.map(({ tx }) => Number(tx)), beskaaretTil: Number(instans?.beskaaret_til) };
}

test.each<[string, [number, number][], { igjen: number[]; beskaaretTil: number }]>([
  ['nothing in an empty feed', [], { igjen: [], beskaaretTil: 0 }],
  ['nothing young', [[5, 89]], { igjen: [5], beskaaretTil: 0 }],
  [
    'what is old',
    [
      [5, 200],
      [6, 91],
      [6, 91],
      [7, 10],
    ],
    { igjen: [7], beskaaretTil: 7 },
  ],
  [
    'nothing old after something young',
    [
      [5, 200],
      [6, 10],
      [7, 91],
    ],
    { igjen: [6, 7], beskaaretTil: 6 },
  ],
  [
    'all but the last transaction when everything is old',
    [
      [5, 200],
      [6, 200],
      [6, 200],
    ],
    { igjen: [6, 6], beskaaretTil: 6 },
  ],
])('removes %s', async (_, rader, ventet) => {
  await lagre(rader);
  expect(await etterBeskjaering()).toEqual(ventet);
  // Once more finds nothing.
  expect(await etterBeskjaering()).toEqual(ventet);
});
