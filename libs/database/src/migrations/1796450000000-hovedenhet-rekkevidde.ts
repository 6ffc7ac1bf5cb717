import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Of a unit that moves, no more is looked at than what it can matter to: what is more than 20 levels below it had no
 * hovedenhet before, and has none after. A register whose units are all below one another, by a fault of whoever sends it,
 * cost n² otherwise, while all who write or follow virksomheter waited.
 */
export class HovedenhetRekkevidde1796450000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    for (const name of FUNCTIONS) await rewrite(db, name, PARTS);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const name of FUNCTIONS)
      await rewrite(
        db,
        name,
        PARTS.map(([before, after]) => [after, before]),
      );
  }
}

const FUNCTIONS = ['oppdater_hovedenheter(text[])', 'flytt_abonnerte(text[])'];

/** Both go down from those that move, and then up from each. */
const PARTS: [before: string, after: string][] = [
  ['with recursive ned (nr) as (', 'with recursive ned (nr, under) as ('],
  ['select unnest(flyttet)\n', 'select unnest(flyttet), 0\n'],
  ['select v.organisasjonsnummer from ned', 'select v.organisasjonsnummer, under + 1 from ned'],
  [
    'overordnet_enhet = ned.nr and slettet is null offset 0) v',
    'overordnet_enhet = ned.nr and slettet is null offset 0) v where under < 20',
  ],
  ['select nr, nr, 0 from ned', 'select distinct nr, nr, 0 from ned'],
];

async function rewrite(db: QueryRunner, name: string, parts: [from: string, to: string][]): Promise<void> {
  const [row] = (await db.query('select pg_get_functiondef($1::regprocedure) as text', [name])) as { text: string }[];
  let text = row?.text ?? '';
  for (const [from, to] of parts) {
    if (text.split(from).length !== 2) throw new Error(`${name} does not say once: ${from}`);
    text = text.replace(from, to);
  }
  await db.query(text);
}
