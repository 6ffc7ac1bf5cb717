import type { DataSource } from 'typeorm';

/** Rows that a spec has made older come to lie in partitions of their months, as they would have. */
export async function splitByMonth(owner: DataSource): Promise<void> {
  const partitions = await owner.query<{ tabell: string; maaned: string | null }[]>('select * from partisjoner()');
  for (const { tabell, maaned } of partitions) {
    if (maaned === null) continue;
    const name = `${tabell}_${maaned}`;
    await owner.query(`
      alter table ${tabell} detach partition ${name};
      insert into ${tabell}_default overriding system value select * from ${name};
      drop table ${name}`);
  }
  await owner.query('select lag_partisjoner()');
}
