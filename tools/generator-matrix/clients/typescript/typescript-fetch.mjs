import { createRequire } from 'node:module';
import { exported, nullsOf, run, timeOf } from './cases.mjs';

const [directory, base, avtaleId, etag] = process.argv.slice(2);
const { AvtalerApi, Configuration, EndringerApi } = createRequire(import.meta.url)(directory);

const avtaler = (name) => new AvtalerApi(new Configuration({ basePath: `${base}/${name}` }));
const endringer = (name) => new EndringerApi(new Configuration({ basePath: `${base}/${name}` }));
const search = async (name, antall) => (await avtaler(name).sokAvtaler({ sok: { antall } })).avtaler;

await run('kjent', async () => {
  const avtale = await avtaler('kjent').hentAvtale({ avtaleId });
  return { avtaleId: avtale.avtaleId, tiltakstype: avtale.tiltakstype };
});
await run('ny-verdi', async () => {
  const found = await search('ny-verdi', 3);
  return { antall: found.length, verdi: found[0].tiltakstype };
});
await run('nytt-felt', async () => ({ antall: (await search('nytt-felt', 3)).length }));
await run('null', async () => nullsOf(await avtaler('null').hentAvtale({ avtaleId })));
await run('mikrosekunder', async () => timeOf((await avtaler('mikrosekunder').hentAvtale({ avtaleId })).sistEndret));
await run('304', async () =>
  avtaler('304')
    .hentAvtale({ avtaleId, ifNoneMatch: etag })
    .then(
      () => ({ status: 200 }),
      ({ response }) => ({ status: response?.status }),
    ),
);
await run('problem', async () => {
  const { response } = await endringer('problem')
    .hentEndringer({ etter: 'x' })
    .catch((error) => error);
  const { type, nyStart } = await response.json();
  return { status: response.status, type, nyStart: nyStart.eksport, form: 'an exception with the response' };
});
await run('eksport', async () => exported(await endringer('eksport').eksporterAvtaler()));
await run('liste', async () => ({ antall: (await search('liste', 20)).length }));
