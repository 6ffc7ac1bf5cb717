import { createRequire } from 'node:module';
import { exported, nullsOf, run, timeOf } from './cases.mjs';

const [directory, base, avtaleId, etag, parseAs] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const sdk = require(`${directory}/sdk.gen.js`);
const { createClient } = require(`${directory}/client/index.js`);

const client = (name) => createClient({ baseUrl: `${base}/${name}` });
const get = async (name, headers = {}) => sdk.hentAvtale({ client: client(name), path: { avtaleId }, headers });

async function search(name, antall) {
  const { data, error } = await sdk.sokAvtaler({ client: client(name), body: { antall } });
  if (!data) throw new Error(JSON.stringify(error));
  return data.avtaler;
}

await run('kjent', async () => {
  const { data } = await get('kjent');
  return { avtaleId: data.avtaleId, tiltakstype: data.tiltakstype };
});
await run('ny-verdi', async () => {
  const found = await search('ny-verdi', 3);
  return { antall: found.length, verdi: found[0].tiltakstype };
});
await run('nytt-felt', async () => ({ antall: (await search('nytt-felt', 3)).length }));
await run('null', async () => nullsOf((await get('null')).data));
await run('mikrosekunder', async () => timeOf((await get('mikrosekunder')).data.sistEndret));
await run('304', async () => ({ status: (await get('304', { 'If-None-Match': etag })).response?.status }));
await run('problem', async () => {
  const { error, response } = await sdk.hentEndringer({ client: client('problem'), query: { etter: 'x' } });
  return { status: response.status, type: error.type, nyStart: error.nyStart.eksport, form: 'the typed problem' };
});
await run('eksport', async () => {
  const asked = await sdk.eksporterAvtaler({ client: client('eksport'), ...(parseAs ? { parseAs } : {}) });
  return exported(asked.data);
});
await run('liste', async () => ({ antall: (await search('liste', 20)).length }));
