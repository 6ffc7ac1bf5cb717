import { openAsBlob } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { kjoerende } from '../lokal/klar.ts';
import { hentToken } from '../lokal/token.ts';

const BRUK = `Usage: npm run avstem -- --fil LIST.ndjson [--per TIME] | --topic
  [--rett MANGLER|UTDATERT|FREMMED ...] [--bekreft N] [--organisasjon NAVN | --ingestor URL, with TOKEN set]
LIST holds {"avtaleId","sistEndret"} on each line; TIME is when it was made. --rett heals what was found; FREMMED are
deleted, and --bekreft must be how many. Ends with 1 when differences remain.`;

interface Tall {
  type: string;
  antall: number;
  rettet: number;
  ferske: number;
  eldsteAlderSekunder: number | null;
}

interface Rapport {
  id: string;
  antallHosKilden: number;
  differanser: Tall[];
}

const { values } = parseArgs({
  options: {
    fil: { type: 'string' },
    topic: { type: 'boolean', default: false },
    per: { type: 'string' },
    rett: { type: 'string', multiple: true, default: [] },
    bekreft: { type: 'string' },
    organisasjon: { type: 'string' },
    ingestor: { type: 'string' },
  },
});

async function ingestor(): Promise<{ url: string; token: string }> {
  if (values.ingestor !== undefined) return { url: values.ingestor, token: process.env['TOKEN'] ?? '' };
  const { klar, organisasjon } = kjoerende(values.organisasjon);
  const token = await hentToken(klar.issuer, 'lokal-vakt', { rolle: 'drift', audience: organisasjon.audience });
  return { url: organisasjon.ingestor, token };
}

async function kjor(): Promise<void> {
  if ((values.fil === undefined) === !values.topic) throw new Error(BRUK);
  const { url, token } = await ingestor();
  const kall = async <T>(metode: string, sti: string, type?: string, body?: Blob | string): Promise<T> => {
    const svar = await fetch(`${url}/drift/v1/avstemming${sti}`, {
      method: metode,
      headers: { authorization: `Bearer ${token}`, ...(type === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body }),
    });
    if (svar.ok) return (await svar.json()) as T;
    const { detail, feil = [] } = (await svar.json()) as { detail: string; feil?: { felt: string; melding: string }[] };
    const felter = feil.map(({ felt, melding }) => `\n  ${felt} ${melding}`);
    throw new Error(`${String(svar.status)}: ${detail}${felter.join('')}`);
  };
  const rapport = values.topic
    ? await kall<Rapport>('POST', '?kilde=TOPIC')
    : await kall<Rapport>(
        'POST',
        values.per === undefined ? '' : `?per=${encodeURIComponent(values.per)}`,
        'application/x-ndjson',
        await openAsBlob(resolve(process.env['INIT_CWD'] ?? '', values.fil ?? '')),
      );
  console.log(`Reconciliation ${rapport.id}: the source has ${String(rapport.antallHosKilden)} avtaler`);
  vis(rapport);
  for (const type of values.rett) {
    const bekreft = values.bekreft === undefined ? {} : { bekreft: Number(values.bekreft) };
    const body = JSON.stringify({ type, ...(type === 'FREMMED' ? bekreft : {}) });
    const utfall = await kall<{ rettet: number; igjen: number }>(
      'POST',
      `/${rapport.id}/rett`,
      'application/json',
      body,
    );
    console.log(`${type}: ${String(utfall.rettet)} healed, ${String(utfall.igjen)} remain`);
  }
  const { differanser } = values.rett.length === 0 ? rapport : await kall<Rapport>('GET', `/${rapport.id}`);
  if (differanser.some(({ antall, rettet }) => antall > rettet)) {
    console.log(`To be sent again by the source: GET ${url}/drift/v1/avstemming/${rapport.id}/sendes-paa-nytt`);
    process.exitCode = 1;
  }
}

function vis({ differanser }: Rapport): void {
  const rader = differanser.map(({ type, antall, ferske, eldsteAlderSekunder }) => [
    type,
    { antall, ferske, 'oldest, days': eldsteAlderSekunder === null ? '' : Math.floor(eldsteAlderSekunder / 86_400) },
  ]);
  console.table(Object.fromEntries(rader));
}

try {
  await kjor();
} catch (feil) {
  console.error(feil instanceof Error ? feil.message : String(feil));
  process.exitCode = 2;
}
