import { createRequire } from 'node:module';
import { exported, nullsOf, run, timeOf } from './cases.mjs';

const [directory, base, avtaleId, etag] = process.argv.slice(2);
const api = createRequire(import.meta.url)(`${directory}/client.js`);

// The client asks at paths: where they are is told when it is generated (`baseUrl`), or by a fetch of one's own.
const realFetch = globalThis.fetch;
const at = (name) => {
  globalThis.fetch = (path, options) => realFetch(`${base}/${name}${path}`, options);
  return api;
};

async function search(name, antall) {
  const { status, data } = await at(name).sokAvtaler({ antall });
  if (status !== 200) throw new Error(JSON.stringify(data));
  return data.avtaler;
}

await run('kjent', async () => {
  const { data } = await at('kjent').hentAvtale(avtaleId);
  return { avtaleId: data.avtaleId, tiltakstype: data.tiltakstype };
});
await run('ny-verdi', async () => {
  const found = await search('ny-verdi', 3);
  return { antall: found.length, verdi: found[0].tiltakstype };
});
await run('nytt-felt', async () => ({ antall: (await search('nytt-felt', 3)).length }));
await run('null', async () => nullsOf((await at('null').hentAvtale(avtaleId)).data));
await run('mikrosekunder', async () => timeOf((await at('mikrosekunder').hentAvtale(avtaleId)).data.sistEndret));
await run('304', async () => {
  const { status } = await at('304').hentAvtale(avtaleId, { headers: { 'If-None-Match': etag } });
  return { status };
});
await run('problem', async () => {
  const { status, data } = await at('problem').hentEndringer({ etter: 'x' });
  return { status, type: data.type, nyStart: data.nyStart.eksport, form: 'the typed problem, with the status' };
});
await run('eksport', async () => {
  const { stream, data } = await at('eksport').eksporterAvtaler();
  return exported(stream ?? data);
});
await run('liste', async () => ({ antall: (await search('liste', 20)).length }));
