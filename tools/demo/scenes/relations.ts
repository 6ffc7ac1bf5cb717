import { randomUUID } from 'node:crypto';
import { syntheticFnr, syntheticOrgnr, waitUntil } from '@tiltak/testing';
import { shuffled } from '../../e2e/adapter-data.ts';
import { deviations } from '../../e2e/adapter-run.ts';
import type { System } from '../../e2e/system.ts';
import type { App } from '../../local/apps.ts';
import type { Act } from '../act.ts';
import { ms } from '../helpers.ts';
import type { Scene } from '../scene.ts';
import type { Watch } from '../watch.ts';

const DAY_MS = 86_400_000;
const FNR = syntheticFnr(707_007);
/** How long a link may take, ms: the message must be stored and answered first. */
const MAX_LINKED = 2_000;

/** Avtaler of one person come in any order and say nothing of each other. */
export const relations: Scene = {
  nr: 7,
  name: 'Relations by themselves',
  promise:
    'Avtaler of one person come in any order, without a word of each other, and are linked as they come; when one goes, its links go; and the links are always those that computing them from scratch gives.',
  play: async (act) => {
    const system = await act.system();
    const [ingestor, queryApi] = await Promise.all([system.startIngestor(), system.startQueryApi()]);
    const watch = act.watch();
    watch.app('ingestor', 'ingestor', ingestor);
    const avtaler = inAnyOrder(act.size(14, 8));
    act.figure('Links', { before: '0' });
    act.does(`Publishes ${String(avtaler.length)} avtaler of one person, one by one, in any order.`);
    let slowest = 0;
    for (const { key, value } of avtaler) {
      const begun = performance.now();
      await system.publish([{ key, value }]);
      await waitUntil(async () => (await linksOf(system, queryApi)).has(key), { what: 'it to be served', everyMs: 5 });
      slowest = Math.max(slowest, performance.now() - begun);
      await draw(act, watch, system, queryApi);
    }
    const links = await linksOf(system, queryApi);
    const oneWay = await linksWithoutReturn(system, queryApi);
    act.figure('Links', { during: String(sum(links)) });
    act.holds(
      'They are linked as they come',
      sum(links) > 0 && oneWay === 0 && slowest < MAX_LINKED,
      `${String(sum(links))} links, each with its way back; the slowest avtale linked and served after ${ms(slowest)}`,
    );
    await deleteOne(act, { system, queryApi, watch }, avtaler[3]?.key ?? '');
    await act.breaks(
      'They are equal to those computed from scratch',
      'one link is taken out of the copy, by SQL.',
      async () => {
        // The ingestor checks them all after a change of version, and would put this right.
        await waitUntil(
          async () => (await system.sql('select from instans where relasjoner_kontrollert is not null')).length > 0,
          { what: 'the ingestor to have checked all relations', maxMs: 30_000 },
        );
        await system.sql('delete from relasjon where ctid = (select ctid from relasjon limit 1)');
      },
    );
    const wrong = await deviations(system);
    act.holds(
      'They are equal to those computed from scratch',
      wrong.length === 0,
      wrong.length === 0 ? 'none differs' : `${String(wrong.length)} lines differ`,
    );
  },
};

async function deleteOne(
  act: Act,
  { system, queryApi, watch }: { system: System; queryApi: App; watch: Watch },
  avtaleId: string,
): Promise<void> {
  act.does('One of them is deleted at the source.');
  const begun = performance.now();
  await system.publish([{ key: avtaleId, value: null }]);
  await waitUntil(async () => !(await linksOf(system, queryApi)).has(avtaleId), { what: 'it to be gone', everyMs: 5 });
  const took = performance.now() - begun;
  await draw(act, watch, system, queryApi);
  const pointing = (await search(system, queryApi)).filter((avtale) =>
    JSON.stringify(avtale._links).includes(avtaleId),
  );
  act.figure('Links', { after: String(sum(await linksOf(system, queryApi))) });
  act.holds('When one goes, its links go', pointing.length === 0, `none points to it, ${ms(took)} after`);
}

/** One after another, some at the same time, one with a mentor; the same each time. */
function inAnyOrder(count: number): { key: string; value: string }[] {
  const date = (days: number): string => new Date(Date.UTC(2024, 0, 1) + days * DAY_MS).toISOString().slice(0, 10);
  return Array.from({ length: count }, (_, n) => {
    const avtaleId = randomUUID();
    const start = n * 60 - (n % 4 === 3 ? 30 : 0);
    const message = {
      ...{ avtaleId, avtaleNr: 7_000 + n, sistEndret: new Date().toISOString(), deltakerFnr: FNR },
      ...{ bedriftNr: syntheticOrgnr(n % 2), tiltakstype: n === 5 ? 'MENTOR' : 'ARBEIDSTRENING' },
      ...{ avtaleStatus: 'GJENNOMFØRES', startDato: date(start), sluttDato: date(start + 59) },
      ...{ feilregistrert: false, slettemerket: false },
    };
    return { key: avtaleId, value: JSON.stringify(message) };
  })
    .map((message, n) => ({ message, at: shuffled(n, 7) }))
    .sort((a, b) => a.at - b.at)
    .map(({ message }) => message);
}

type Served = {
  avtaleId: string;
  avtaleNr: number;
  startDato: string;
  sluttDato: string;
  _links: Record<string, unknown>;
};

async function search(system: System, { url }: App): Promise<Served[]> {
  const response = await fetch(`${url}/api/v1/avtaler/sok`, {
    method: 'POST',
    headers: await system.as('alt'),
    body: JSON.stringify({ personidenter: [FNR], antall: 100 }),
  });
  return response.ok ? ((await response.json()) as { avtaler: Served[] }).avtaler : [];
}

const BACK: Record<string, string> = {
  neste: 'forrige',
  forrige: 'neste',
  samtidige: 'samtidige',
  mentor: 'mentorFor',
  mentorFor: 'mentor',
};

/** «relation avtaleId», of each that it links to. */
const linksIn = ({ _links: links }: Served): string[] =>
  Object.keys(BACK).flatMap((name) =>
    [...JSON.stringify(links[name] ?? null).matchAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g)].map(
      ([avtaleId]) => `${name} ${avtaleId}`,
    ),
  );

/** avtaleId → how many links it has to others. */
async function linksOf(system: System, queryApi: App): Promise<Map<string, number>> {
  return new Map((await search(system, queryApi)).map((served) => [served.avtaleId, linksIn(served).length]));
}

async function linksWithoutReturn(system: System, queryApi: App): Promise<number> {
  const all = new Map((await search(system, queryApi)).map((served) => [served.avtaleId, new Set(linksIn(served))]));
  let count = 0;
  for (const [from, links] of all) {
    for (const link of links) {
      const [name = '', to = ''] = link.split(' ');
      if (!all.get(to)?.has(`${BACK[name] ?? ''} ${from}`)) count++;
    }
  }
  return count;
}

const sum = (links: Map<string, number>): number => [...links.values()].reduce((all, n) => all + n, 0);

async function draw(act: Act, watch: Watch, system: System, queryApi: App): Promise<void> {
  const served = await search(system, queryApi);
  watch.point('Avtaler and links of the person', '', 'avtaler', served.length);
  watch.point('Avtaler and links of the person', '', 'links', served.flatMap(linksIn).length);
  act.draws({
    avtaler: served.map(({ avtaleId, avtaleNr, startDato, sluttDato }) => ({
      ...{ id: avtaleId, name: String(avtaleNr), from: startDato, to: sluttDato },
    })),
    links: served.flatMap((avtale) =>
      linksIn(avtale).map((link) => {
        const [relation = '', to = ''] = link.split(' ');
        return { relation, from: avtale.avtaleId, to };
      }),
    ),
  });
}
