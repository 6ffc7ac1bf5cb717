import { createEvents } from '@tiltak/simulator';
import { waitUntil } from '@tiltak/testing';
import { System, type PublishedMessage } from './system.ts';

type Avtale = Record<string, unknown> & { avtaleId: string; _links: Record<string, unknown> };

const STAGE = 8;

/** Searches of every kind, some for what is known to have been there. */
function createSearch(messages: PublishedMessage[]): Record<string, unknown>[] {
  const source = messages.flatMap(({ value }) => {
    const { deltakerFnr, bedriftNr } = value === null ? {} : (JSON.parse(String(value)) as Record<string, unknown>);
    return typeof deltakerFnr === 'string' && /^\d{9}$/.test(String(bedriftNr)) ? [{ deltakerFnr, bedriftNr }] : [];
  });
  const some = source.filter((_, i) => i % 40 === 0);
  return [
    {},
    { personidenter: [...new Set(some.map(({ deltakerFnr }) => deltakerFnr))].slice(0, 500) },
    { bedriftsnumre: [...new Set(some.map(({ bedriftNr }) => bedriftNr))].slice(0, 500) },
    { statuser: ['PAABEGYNT', 'UKJENT'] },
    { statuser: ['GJENNOMFORES'], tiltakstyper: ['MENTOR', 'SOMMERJOBB', 'ARBEIDSTRENING'] },
    { periode: { fra: '2024-01-01', til: '2025-06-30' } },
    { endretEtter: '2024-06-01T00:00:00Z' },
  ];
}

test('what the API answered at a moment, it answers about that moment, whatever has happened since', async () => {
  const system = await System.create();
  try {
    const messages = [...createEvents({ count: 2_400, seed: 77 })];
    const search = createSearch(messages);
    const stageSize = messages.length / STAGE;
    await system.startIngestor();
    const { url } = await system.startQueryApi();
    const headers = await system.as('alt');
    const responseTo = async (body: Record<string, unknown>): Promise<Avtale[]> => {
      const avtaler: Avtale[] = [];
      let next: string | undefined;
      do {
        const response = await fetch(`${url}/api/v1/avtaler/sok`, {
          method: 'POST',
          headers,
          body: JSON.stringify({ antall: 1_000, neste: next, ...body }),
        });
        expect(response.status).toBe(200);
        const page = (await response.json()) as { avtaler: Avtale[]; neste?: string };
        avtaler.push(...page.avtaler);
        next = page.neste;
      } while (next !== undefined);
      return avtaler;
    };

    const answered: { da: string; filter: Record<string, unknown>; avtaler: Avtale[] }[] = [];
    for (let stage = 0; stage < STAGE; stage++) {
      await system.publish(messages.slice(stage * stageSize, (stage + 1) * stageSize));
      await system.waitForIngested();
      await waitUntil(async () => (await fetch(`${url}/api/v1/avtaler/nummer/0`, { headers })).status !== 503, {
        what: 'the first load',
      });
      for (const filter of search) {
        const avtaler = await responseTo(filter);
        answered.push({ da: new Date().toISOString(), filter, avtaler });
      }
    }

    // What was erased has no past, also when it has come back since.
    const deleted = await system.sql<{ id: string }>(
      `select distinct avtale_id as id from endring where type = 'SLETTET' and aarsak = 'SLETTET'`,
    );
    const visible = new Set((await responseTo({})).map(({ avtaleId }) => avtaleId));
    for (const { id } of deleted) visible.delete(id);
    let differences = 0;
    for (const { da, filter, avtaler } of answered) {
      const expected = avtaler.filter(({ avtaleId }) => visible.has(avtaleId)).map(withoutLinksToOthers);
      const now = (await responseTo({ ...filter, gjeldendePer: da })).filter(({ avtaleId }) => visible.has(avtaleId));
      expect(now).toEqual(expected);
      if (JSON.stringify(expected) !== JSON.stringify((await responseTo(filter)).map(withoutLinksToOthers)))
        differences++;
    }
    // It would prove nothing if then and now were the same.
    expect(differences).toBeGreaterThan(answered.length / 2);
  } finally {
    await system.stop();
  }
}, 180_000);

/** How avtaler stood to each other then is not kept. */
function withoutLinksToOthers({ _links: { self, deltaker, bedrift, virksomhet }, ...avtale }: Avtale): Avtale {
  const _links = {
    self,
    ...(deltaker ? { deltaker } : {}),
    ...(bedrift ? { bedrift } : {}),
    ...(virksomhet ? { virksomhet } : {}),
  };
  return { ...avtale, avtaleId: avtale.avtaleId, _links };
}
