import { lagHendelser } from '@tiltak/simulator';
import { ventTil } from '@tiltak/testing';
import { System, type Melding } from './system.ts';

type Avtale = Record<string, unknown> & { avtaleId: string; _links: Record<string, unknown> };

const TRINN = 8;

/** Searches of every kind, some for what is known to have been there. */
function lagSok(meldinger: Melding[]): Record<string, unknown>[] {
  const kilde = meldinger.flatMap(({ verdi }) => {
    const { deltakerFnr, bedriftNr } = verdi === null ? {} : (JSON.parse(String(verdi)) as Record<string, unknown>);
    return typeof deltakerFnr === 'string' && /^\d{9}$/.test(String(bedriftNr)) ? [{ deltakerFnr, bedriftNr }] : [];
  });
  const noen = kilde.filter((_, i) => i % 40 === 0);
  return [
    {},
    { personidenter: [...new Set(noen.map(({ deltakerFnr }) => deltakerFnr))].slice(0, 500) },
    { bedriftsnumre: [...new Set(noen.map(({ bedriftNr }) => bedriftNr))].slice(0, 500) },
    { statuser: ['PAABEGYNT', 'UKJENT'] },
    { statuser: ['GJENNOMFORES'], tiltakstyper: ['MENTOR', 'SOMMERJOBB', 'ARBEIDSTRENING'] },
    { periode: { fra: '2024-01-01', til: '2025-06-30' } },
    { endretEtter: '2024-06-01T00:00:00Z' },
  ];
}

test('what the API answered at a moment, it answers about that moment, whatever has happened since', async () => {
  const system = await System.lag();
  try {
    const meldinger = [...lagHendelser({ antall: 2_400, seed: 77 })];
    const sok = lagSok(meldinger);
    const bit = meldinger.length / TRINN;
    await system.startIngestor();
    const { url } = await system.startQueryApi();
    const hoder = await system.som('alt');
    const svarPaa = async (body: Record<string, unknown>): Promise<Avtale[]> => {
      const avtaler: Avtale[] = [];
      let neste: string | undefined;
      do {
        const svar = await fetch(`${url}/api/v1/avtaler/sok`, {
          method: 'POST',
          headers: hoder,
          body: JSON.stringify({ antall: 1_000, neste, ...body }),
        });
        expect(svar.status).toBe(200);
        const side = (await svar.json()) as { avtaler: Avtale[]; neste?: string };
        avtaler.push(...side.avtaler);
        neste = side.neste;
      } while (neste !== undefined);
      return avtaler;
    };

    const besvart: { da: string; filter: Record<string, unknown>; avtaler: Avtale[] }[] = [];
    for (let trinn = 0; trinn < TRINN; trinn++) {
      await system.publiser(meldinger.slice(trinn * bit, (trinn + 1) * bit));
      await system.ventPaaInnlest();
      await ventTil(async () => (await fetch(`${url}/api/v1/avtaler/nummer/0`, { headers: hoder })).status !== 503, {
        hva: 'the first load',
      });
      for (const filter of sok) {
        const avtaler = await svarPaa(filter);
        besvart.push({ da: new Date().toISOString(), filter, avtaler });
      }
    }

    // What was erased has no past, also when it has come back since.
    const slettet = await system.sql<{ id: string }>(
      `select distinct avtale_id as id from endring where type = 'SLETTET' and aarsak = 'SLETTET'`,
    );
    const synlige = new Set((await svarPaa({})).map(({ avtaleId }) => avtaleId));
    for (const { id } of slettet) synlige.delete(id);
    let forskjeller = 0;
    for (const { da, filter, avtaler } of besvart) {
      const ventet = avtaler.filter(({ avtaleId }) => synlige.has(avtaleId)).map(utenLenkerTilAndre);
      const naa = (await svarPaa({ ...filter, gjeldendePer: da })).filter(({ avtaleId }) => synlige.has(avtaleId));
      expect(naa).toEqual(ventet);
      if (JSON.stringify(ventet) !== JSON.stringify((await svarPaa(filter)).map(utenLenkerTilAndre))) forskjeller++;
    }
    // It would prove nothing if then and now were the same.
    expect(forskjeller).toBeGreaterThan(besvart.length / 2);
  } finally {
    await system.stopp();
  }
}, 180_000);

/** How avtaler stood to each other then is not kept. */
function utenLenkerTilAndre({ _links: { self, deltaker, bedrift }, ...avtale }: Avtale): Avtale {
  const _links = { self, ...(deltaker ? { deltaker } : {}), ...(bedrift ? { bedrift } : {}) };
  return { ...avtale, avtaleId: avtale.avtaleId, _links };
}
