import { randomUUID } from 'node:crypto';
import { waitUntil } from '@tiltak/testing';
import type { System } from '../../e2e/system.ts';
import type { App } from '../../local/apps.ts';
import type { Act } from '../act.ts';
import { callIngestor } from '../helpers.ts';
import { sourceFor } from '../source.ts';
import type { Scene } from '../scene.ts';

const TYPES = ['MANGLER', 'UTDATERT', 'FREMMED', 'NYERE'] as const;
type Found = Record<(typeof TYPES)[number], string[]>;

/** Somebody writes straight in the source's table, and nobody is told. */
export const silentChanges: Scene = {
  nr: 9,
  name: 'Split brain and silent changes',
  promise:
    "What is changed by SQL in the source's own table, without a message, is found by reconciliation: exactly those avtaler, and none when they are healed.",
  play: async (act) => {
    const system = await act.system();
    const source = await sourceFor(act, system);
    const count = act.size(3_000, 600);
    act.does(`The source registers ${String(count)} avtaler and tells of them.`);
    const ids = await source.table.register(count, 9);
    const watch = act.watch();
    // No time of grace: nothing is on its way.
    const ingestor = watch.app('ingestor', 'ingestor', await system.startIngestor({ AVSTEMMING_FRIST_SEKUNDER: '0' }));
    await system.waitForIngested();
    const before = await avstem(system, ingestor, await source.table.list());
    tell(act, 'before', before.found);
    act.holds('They agree before', sizeOf(before.found) === 0, `${String(sizeOf(before.found))} differences`);

    const [changed, gone] = [ids.slice(0, 20), ids.slice(20, 30)];
    const added = Array.from({ length: 5 }, () => randomUUID());
    act.does("By SQL in the source's table, and no message: 20 avtaler changed, 10 deleted, 5 made.");
    await source.table.sql('update avtale set slutt_dato = current_date where avtale_id = any($1)', [changed]);
    await source.table.sql('delete from avtale where avtale_id = any($1)', [gone]);
    await source.table.sql(
      `insert into avtale (avtale_id, avtale_nr, innhold, tiltakstype) select unnest($1::uuid[]), 1, '{"feilregistrert":false}', 'MENTOR'`,
      [added],
    );
    await act.breaks(
      'Exactly those are named',
      'one more avtale is set back in the copy, which nobody has changed at the source.',
      () =>
        system.sql(`update avtale set sist_endret = sist_endret - interval '1 day' where avtale_id = $1`, [ids[99]]),
    );
    const { id, found } = await avstem(system, ingestor, await source.table.list());
    tell(act, 'during', found);
    const exact = { MANGLER: added, UTDATERT: changed, FREMMED: gone, NYERE: [] };
    act.holds('Exactly those are named', sameIds(found, exact), `${String(sizeOf(found))} named, 35 silently changed`);
    await heal(act, { system, ingestor, source, id, found });
    const after = await avstem(system, ingestor, await source.table.list());
    tell(act, 'after', after.found);
    act.holds('None is left when they are healed', sizeOf(after.found) === 0, `${String(sizeOf(after.found))} left`);
  },
};

function tell(act: Act, phase: 'before' | 'during' | 'after', found: Found): void {
  const names = {
    MANGLER: 'Lacking in the copy (MANGLER)',
    UTDATERT: 'Older in the copy (UTDATERT)',
    FREMMED: 'Unknown to the source (FREMMED)',
    NYERE: 'Newer in the copy (NYERE)',
  };
  for (const type of TYPES) act.figure(names[type], { [phase]: String(found[type].length) });
}

/** As `npm run avstem -- --fil` does. */
async function avstem(system: System, app: App, list: string): Promise<{ id: string; found: Found }> {
  const token = await system.tokenForOnDuty();
  const path = '/drift/v1/avstemming';
  const { id } = await callIngestor<{ id: string }>(app, token, `${path}?per=${new Date().toISOString()}`, {
    method: 'POST',
    body: list,
    type: 'application/x-ndjson',
  });
  const pages = TYPES.map(async (type) => {
    const page = await callIngestor<{ differanser: { avtaleId: string }[] }>(
      app,
      token,
      `${path}/${id}/differanser?type=${type}`,
    );
    return [type, page.differanser.map(({ avtaleId }) => avtaleId)] as const;
  });
  return { id, found: Object.fromEntries(await Promise.all(pages)) as Found };
}

async function heal(
  act: Act,
  {
    system,
    ingestor,
    source,
    id,
    found,
  }: { system: System; ingestor: App; source: Awaited<ReturnType<typeof sourceFor>>; id: string; found: Found },
): Promise<void> {
  const token = await system.tokenForOnDuty();
  act.does('The source sends those that it has again, in bulk; those that it has not are deleted, on confirmation.');
  await fetch(`${source.api.url}/send`, {
    method: 'POST',
    body: JSON.stringify({ avtaleIder: [...found.MANGLER, ...found.UTDATERT] }),
  });
  await callIngestor(ingestor, token, `/drift/v1/avstemming/${id}/rett`, {
    method: 'POST',
    body: JSON.stringify({ type: 'FREMMED', bekreft: found.FREMMED.length }),
  });
  await waitUntil(async () => (await system.ingested()) === (await system.onTopic()), {
    what: 'what heals to be stored',
    maxMs: 60_000,
  });
}

const sizeOf = (found: Found): number => TYPES.reduce((sum, type) => sum + found[type].length, 0);

const sameIds = (a: Found, b: Found): boolean =>
  TYPES.every((type) => JSON.stringify([...a[type]].sort()) === JSON.stringify([...b[type]].sort()));
