import type { AdapterApi, Innslag, Side, Synk } from './api.ts';

export type Synkvalg = {
  metode: 'POST' | 'PATCH' | 'DELETE';
  synkId: string;
  /** entries of a page */
  sidestoerrelse: number;
  /** pages under way at once */
  parallelt: number;
  /** called for each page that is in */
  framdrift: (ferdige: number, sider: number) => void;
};

/**
 * Sends all entries as one sync. With the synkId of a sync that was broken off, only the pages that the ingestor lacks
 * are sent: it knows, so the adapter need not. The entries must then be the same, in the same order.
 */
export async function send(api: AdapterApi, innslag: readonly Innslag[], valg: Synkvalg): Promise<Synk> {
  const { metode, synkId, sidestoerrelse, parallelt, framdrift } = valg;
  const antallSider = Math.max(1, Math.ceil(innslag.length / sidestoerrelse));
  const lagSide = (side: number): Side => ({
    metadata: { synkId, side, antallSider, antallTotalt: innslag.length },
    ressurser: innslag.slice((side - 1) * sidestoerrelse, side * sidestoerrelse),
  });
  // The first page tells what is missing, whether the sync is new or not.
  let synk = await api.sendSide(metode, lagSide(1));
  framdrift(synk.mottatteSider, antallSider);
  while (synk.manglendeSider?.length) {
    const mangler = [...synk.manglendeSider];
    const arbeidere = Array.from({ length: Math.min(parallelt, mangler.length) }, async () => {
      for (let side = mangler.shift(); side !== undefined; side = mangler.shift()) {
        framdrift((await api.sendSide(metode, lagSide(side))).mottatteSider, antallSider);
      }
    });
    await Promise.all(arbeidere);
    synk = await api.hentSynk(synkId);
  }
  return synk;
}
