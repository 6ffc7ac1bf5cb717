import { lagHendelser } from '@tiltak/simulator';
import { ventTil } from '@tiltak/testing';
import type { App } from '../lokal/apper.ts';
import { System } from './system.ts';

type Avtale = { avtaleId: string };

/** A consumer that keeps a copy as docs/konsumenter.md tells it to: everything once, then what changes. */
class Replika {
  readonly avtaler = new Map<string, Avtale>();
  private posisjon = '';
  private readonly hoder: Record<string, string>;

  private constructor(hoder: Record<string, string>) {
    this.hoder = hoder;
  }

  static async fraEksport(url: string, hoder: Record<string, string>): Promise<Replika> {
    const replika = new Replika(hoder);
    const tekst = await (await replika.hent(`${url}/api/v1/eksport`)).text();
    const [hode, ...linjer] = tekst.trimEnd().split('\n');
    const { posisjon, antall } = JSON.parse(hode ?? '') as { posisjon: string; antall: number };
    expect(linjer).toHaveLength(antall);
    replika.posisjon = posisjon;
    for (const linje of linjer) replika.sett(JSON.parse(linje) as Avtale);
    return replika;
  }

  /** One page. A call that fails is made again from the same position. */
  async folg(url: string, ventSekunder: number): Promise<{ antall: number }> {
    const svar = await this.hent(
      `${url}/api/v1/endringer?antall=500&etter=${this.posisjon}&ventSekunder=${String(ventSekunder)}`,
    );
    const side = (await svar.json()) as { endringer: { avtaleId: string; type: string }[]; posisjon: string };
    const endret = new Map(side.endringer.map(({ avtaleId, type }) => [avtaleId, type]));
    const finnes = [...endret].flatMap(([avtaleId, type]) => (type === 'SLETTET' ? [] : [avtaleId]));
    const lest = finnes.length > 0 ? await this.les(url, finnes) : [];
    // What is not among the answers is not to be seen any more.
    for (const avtaleId of endret.keys()) this.avtaler.delete(avtaleId);
    for (const avtale of lest) this.sett(avtale);
    this.posisjon = side.posisjon;
    return { antall: side.endringer.length };
  }

  private async les(url: string, avtaleIder: string[]): Promise<Avtale[]> {
    const svar = await this.hent(`${url}/api/v1/avtaler/sok`, {
      method: 'POST',
      body: JSON.stringify({ avtaleIder, antall: 1_000 }),
    });
    return ((await svar.json()) as { avtaler: Avtale[] }).avtaler;
  }

  private sett(avtale: Avtale): void {
    this.avtaler.set(avtale.avtaleId, avtale);
  }

  private async hent(url: string, valg: RequestInit = {}): Promise<Response> {
    const svar = await fetch(url, { ...valg, headers: this.hoder });
    if (svar.status === 200) return svar;
    throw new Error(`Answered ${String(svar.status)}`);
  }
}

/** Everything that the API answers with now, in the order of avtaleId. */
async function alle(url: string, hoder: Record<string, string>): Promise<Avtale[]> {
  const avtaler: Avtale[] = [];
  let neste: string | undefined;
  do {
    const svar = await fetch(`${url}/api/v1/avtaler/sok`, {
      method: 'POST',
      headers: hoder,
      body: JSON.stringify({ antall: 1_000, neste }),
    });
    const side = (await svar.json()) as { avtaler: Avtale[]; neste?: string };
    avtaler.push(...side.avtaler);
    neste = side.neste;
  } while (neste !== undefined);
  return avtaler;
}

test('a copy made from the export and the feed is what the API says, whoever is killed meanwhile', async () => {
  const system = await System.lag();
  try {
    // Several seeds: the same avtaleId never comes from two.
    await system.publiser([...lagHendelser({ antall: 3_000, seed: 11 })]);
    let ingestor = await system.startIngestor();
    let api = await system.startQueryApi();
    const hoder = await system.som('alt');
    await ventTil(async () => (await fetch(`${api.url}/api/v1/avtaler/nummer/0`, { headers: hoder })).status !== 503, {
      hva: 'the first load',
    });

    const kilde = (async () => {
      for (let del = 0; del < 6; del++) {
        await system.publiser([...lagHendelser({ antall: 1_500, seed: 20 + del })]);
        if (del === 1 || del === 3) {
          await ingestor.prosess.drep();
          ingestor = await system.startIngestor();
        }
      }
      await system.ventPaaInnlest(120_000);
    })();
    let ferdig = false;
    const ventet = kilde.finally(() => (ferdig = true));

    const replika = await Replika.fraEksport(api.url, hoder);
    let sider = 0;
    for (;;) {
      const sisteRunde = ferdig;
      if (++sider === 8) api = await startPaaNytt(system, api);
      const { antall } = await replika.folg(api.url, sisteRunde ? 0 : 1);
      if (sisteRunde && antall === 0) break;
    }
    await ventet;
    const fasit = await alle(api.url, hoder);
    expect(fasit.length).toBeGreaterThan(500);
    expect([...replika.avtaler.values()].sort((a, b) => (a.avtaleId < b.avtaleId ? -1 : 1))).toEqual(fasit);
    expect(await system.tilstand()).toEqual(system.fasit());
  } finally {
    await system.stopp();
  }
}, 240_000);

async function startPaaNytt(system: System, api: App): Promise<App> {
  await api.prosess.drep();
  const ny = await system.startQueryApi();
  const hoder = await system.som('alt');
  await ventTil(async () => (await fetch(`${ny.url}/api/v1/avtaler/nummer/0`, { headers: hoder })).status !== 503, {
    hva: 'the new process to answer',
  });
  return ny;
}
