import { randomUUID } from 'node:crypto';
import { ventTil } from '@tiltak/testing';
import { AdapterApi, type Innslag } from '../adapter/api.ts';
import { send, type Synkvalg } from '../adapter/synk.ts';
import { System } from './system.ts';

let system: System;

beforeAll(async () => {
  system = await System.lag();
});
afterAll(() => system.stopp());

const KONTRAKT = {
  adapterId: 'spec',
  heartbeatIntervallMinutter: 15,
  fullSynkIntervallDager: 7,
  deltaSynk: 'STRAKS',
  ressurser: ['avtaler'],
};
const SISTENDRET = ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'];

const innslag = (id: string, runde: number): Innslag => ({
  id,
  ressurs: { avtaleId: id, avtaleNr: runde, sistEndret: SISTENDRET[runde] },
});

const lagret = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    (
      await system.sql<{ id: string; nr: number }>(
        'select avtale_id as id, avtale_nr as nr from avtale where slettet is null',
      )
    ).map(({ id, nr }) => [id, nr]),
  );

test('an ingestor that is killed in the middle of a full sync loses nothing, and deletes nothing too much', async () => {
  const ider = Array.from({ length: 5_000 }, () => randomUUID());
  const foerste = await system.startIngestor();
  const api = new AdapterApi(foerste.url, () => system.tokenForAdapter());
  await api.settKontrakt(KONTRAKT);
  const valg: Synkvalg = {
    metode: 'POST',
    synkId: randomUUID(),
    sidestoerrelse: 100,
    parallelt: 3,
    framdrift: () => undefined,
  };
  await send(
    api,
    ider.map((id) => innslag(id, 0)),
    valg,
  );
  await ventTil(async () => (await api.hentSynk(valg.synkId)).tilstand === 'FULLFOERT', {
    hva: 'the first sync',
    maksMs: 60_000,
  });

  const beholdt = ider.slice(0, 4_500);
  const synkId = randomUUID();
  // While pages are published and not answered yet.
  let drept = false;
  const framdrift = (ferdige: number): void => {
    if (ferdige < 10 || drept) return;
    drept = true;
    void foerste.prosess.drep();
  };
  const brutt = new AdapterApi(foerste.url, async () => {
    if (drept) throw new Error('the adapter ends here');
    return system.tokenForAdapter();
  });
  const nye = beholdt.map((id) => innslag(id, 1));
  await expect(send(brutt, nye, { ...valg, synkId, framdrift })).rejects.toThrow('the adapter ends here');

  const andre = new AdapterApi((await system.startIngestor()).url, () => system.tokenForAdapter());
  await send(andre, nye, { ...valg, synkId });
  await ventTil(async () => (await andre.hentSynk(synkId)).tilstand === 'FULLFOERT', {
    hva: 'the second sync',
    maksMs: 60_000,
  });
  expect(await andre.hentSynk(synkId)).toMatchObject({ mottatteSider: 45, manglendeSider: [], skalSlettes: 500 });
  const forventet = Object.fromEntries(beholdt.map((id) => [id, 1]));
  await ventTil(async () => Object.keys(await lagret()).length === beholdt.length, { hva: 'the deletions' });
  expect(await lagret()).toEqual(forventet);
}, 180_000);
