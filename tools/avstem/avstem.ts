import { openAsBlob } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { running } from '../local/ready-file.ts';
import { fetchToken } from '../local/token.ts';

const USAGE = `Usage: npm run avstem -- --fil LIST.ndjson [--per TIME] | --topic
  [--rett MANGLER|UTDATERT|FREMMED ...] [--bekreft N] [--organisasjon NAVN | --ingestor URL, with TOKEN set]
LIST holds {"avtaleId","sistEndret"} on each line; TIME is when it was made. --rett heals what was found; FREMMED are
deleted, and --bekreft must be how many. Ends with 1 when differences remain.`;

interface Counts {
  type: string;
  antall: number;
  rettet: number;
  ferske: number;
  eldsteAlderSekunder: number | null;
}

interface Report {
  id: string;
  antallHosKilden: number;
  differanser: Counts[];
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
  const { ready, organisasjon } = running(values.organisasjon);
  const token = await fetchToken(ready.issuer, 'lokal-vakt', { rolle: 'drift', audience: organisasjon.audience });
  return { url: organisasjon.ingestor, token };
}

async function run(): Promise<void> {
  if ((values.fil === undefined) === !values.topic) throw new Error(USAGE);
  const { url, token } = await ingestor();
  const call = async <T>(method: string, path: string, type?: string, body?: Blob | string): Promise<T> => {
    const response = await fetch(`${url}/drift/v1/avstemming${path}`, {
      method: method,
      headers: { authorization: `Bearer ${token}`, ...(type === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body }),
    });
    if (response.ok) return (await response.json()) as T;
    const { detail, feil: error = [] } = (await response.json()) as {
      detail: string;
      feil?: { felt: string; melding: string }[];
    };
    const fields = error.map(({ felt: field, melding: message }) => `\n  ${field} ${message}`);
    throw new Error(`${String(response.status)}: ${detail}${fields.join('')}`);
  };
  const report = values.topic
    ? await call<Report>('POST', '?kilde=TOPIC')
    : await call<Report>(
        'POST',
        values.per === undefined ? '' : `?per=${encodeURIComponent(values.per)}`,
        'application/x-ndjson',
        await openAsBlob(resolve(process.env['INIT_CWD'] ?? '', values.fil ?? '')),
      );
  console.log(`Reconciliation ${report.id}: the source has ${String(report.antallHosKilden)} avtaler`);
  print(report);
  for (const type of values.rett) {
    const confirm = values.bekreft === undefined ? {} : { bekreft: Number(values.bekreft) };
    const body = JSON.stringify({ type, ...(type === 'FREMMED' ? confirm : {}) });
    const outcome = await call<{ rettet: number; igjen: number }>(
      'POST',
      `/${report.id}/rett`,
      'application/json',
      body,
    );
    console.log(`${type}: ${String(outcome.rettet)} healed, ${String(outcome.igjen)} remain`);
  }
  const { differanser: differences } = values.rett.length === 0 ? report : await call<Report>('GET', `/${report.id}`);
  if (differences.some(({ antall: count, rettet: repaired }) => count > repaired)) {
    console.log(`To be sent again by the source: GET ${url}/drift/v1/avstemming/${report.id}/sendes-paa-nytt`);
    process.exitCode = 1;
  }
}

function print({ differanser: differences }: Report): void {
  const rows = differences.map(({ type, antall: count, ferske: fresh, eldsteAlderSekunder: oldestAgeSeconds }) => [
    type,
    {
      antall: count,
      ferske: fresh,
      'oldest, days': oldestAgeSeconds === null ? '' : Math.floor(oldestAgeSeconds / 86_400),
    },
  ]);
  console.table(Object.fromEntries(rows));
}

try {
  await run();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
