import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as vent } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { kjoerende } from '../lokal/klar.ts';
import { hentToken } from '../lokal/token.ts';
import { AdapterApi, Avslag } from './api.ts';
import { lesKatalog, lesTabell } from './kilder.ts';
import { send, type Synkvalg } from './synk.ts';

const METODER: Record<string, Synkvalg['metode']> = { full: 'POST', delta: 'PATCH', slett: 'DELETE' };
const BRUK = `Usage: npm run adapter -- full|delta|slett (--katalog DIR | --postgres URL --tabell T)
  [--organisasjon NAVN] [--sidestoerrelse 2000] [--parallelt 4] [--tilstand FILE] [--bekreft]`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    katalog: { type: 'string' },
    postgres: { type: 'string' },
    tabell: { type: 'string' },
    organisasjon: { type: 'string' },
    sidestoerrelse: { type: 'string', default: '2000' },
    parallelt: { type: 'string', default: '4' },
    tilstand: { type: 'string', default: '.local/adapter.json' },
    bekreft: { type: 'boolean', default: false },
  },
});

async function kjor(): Promise<void> {
  const metode = METODER[positionals[0] ?? ''];
  if (!metode || !(values.katalog || (values.postgres && values.tabell))) throw new Error(BRUK);
  const { klar, navn, organisasjon } = kjoerende(values.organisasjon);
  const azp = `adapter-${navn}`;
  const hvem = { adapter: navn, audience: organisasjon.audience };
  const api = new AdapterApi(organisasjon.ingestor, () => hentToken(klar.issuer, azp, hvem));
  const innslag = values.katalog
    ? await lesKatalog(resolve(process.env['INIT_CWD'] ?? '', values.katalog))
    : await lesTabell(values.postgres ?? '', values.tabell ?? '');
  await api.settKontrakt({
    adapterId: azp,
    heartbeatIntervallMinutter: 15,
    fullSynkIntervallDager: 7,
    deltaSynk: 'STRAKS',
    ressurser: ['avtaler'],
  });
  const synkId = paabegynt(metode, innslag.length);
  let synk = await send(api, metode === 'DELETE' ? innslag.map(({ id }) => ({ id })) : innslag, {
    metode,
    synkId,
    sidestoerrelse: Number(values.sidestoerrelse),
    parallelt: Number(values.parallelt),
    framdrift: vis,
  });
  while (synk.tilstand === 'SLETTER' || (synk.tilstand === 'VENTER_PAA_BEKREFTELSE' && values.bekreft)) {
    synk = synk.tilstand === 'SLETTER' ? await api.hentSynk(synkId) : await api.bekreft(synkId);
    await vent(200);
  }
  if (synk.tilstand !== 'VENTER_PAA_BEKREFTELSE') rmSync(values.tilstand, { force: true });
  console.log(
    `\n${synkId}: ${synk.tilstand}, ${String(innslag.length)} avtaler, ${String(synk.skalSlettes ?? 0)} deleted`,
  );
  if (synk.tilstand !== 'FULLFOERT') process.exitCode = 1;
}

/** The sync that was broken off, when it is of the same kind and as large; a new one otherwise. */
function paabegynt(metode: string, antall: number): string {
  const hva = `${metode} ${String(antall)}`;
  if (existsSync(values.tilstand)) {
    const kjent = JSON.parse(readFileSync(values.tilstand, 'utf8')) as { hva?: string; synkId?: string };
    if (kjent.hva === hva && kjent.synkId !== undefined) return kjent.synkId;
  }
  const synkId = randomUUID();
  writeFileSync(values.tilstand, JSON.stringify({ hva, synkId }));
  return synkId;
}

function vis(ferdige: number, sider: number): void {
  const bredde = 40;
  const fylt = Math.round((ferdige / sider) * bredde);
  process.stdout.write(`\r[${'#'.repeat(fylt)}${' '.repeat(bredde - fylt)}] ${String(ferdige)}/${String(sider)} pages`);
}

try {
  await kjor();
} catch (feil) {
  // The sync is over, or what it holds has changed since: the next run begins a new one.
  if (feil instanceof Avslag && feil.status === 409) rmSync(values.tilstand, { force: true });
  console.error(feil instanceof Error ? feil.message : String(feil));
  process.exitCode = 1;
}
