import { Console } from 'node:console';
import { openAsBlob } from 'node:fs';
import { parseArgs } from 'node:util';
import { UsageError, type Command } from '@tiltak/platform';
import { readAvstemConfig } from '../config.ts';

/** Through the ingestor's HTTP, as anybody on duty: what is compared and healed is audited there. */
export const avstem: Command = {
  usage: `Usage: npm run avstem -- [options], in the image node main.cjs avstem [options]

Compares what is stored with what the source has, and tells how many avtaler differ. TOKEN is that of somebody on duty.

  --fil LIST.ndjson  the source's list, {"avtaleId","sistEndret"} on each line
  --per TIME         when the list was made; now when absent
  --topic            compares with all that the topic holds instead
  --rett TYPE        heals those of a type: MANGLER, UTDATERT or FREMMED; may be repeated
  --bekreft N        with --rett FREMMED, which deletes: how many it must be
  --ingestor URL     another ingestor than the one of this container (PORT)
  --organisasjon X   on the local stack: of another organisation than the first

Exit code: 0 when nothing differs, 1 when differences remain, 2 when it could not be found out.
`,
  run: async (args) => {
    const options = readOptions(args);
    const { PORT, TOKEN } = readAvstemConfig();
    const api = new AvstemmingApi(options.ingestor ?? `http://127.0.0.1:${String(PORT)}`, TOKEN);
    const report = await compare(api, options);
    print(report);
    for (const type of options.heal) await heal(api, report, type, options.confirmed);
    const { differanser } = options.heal.length === 0 ? report : await api.call<Report>('GET', `/${report.id}`);
    const left = differanser.filter(({ antall, rettet }) => antall > rettet).map(({ type }) => type);
    if (left.includes('MANGLER') || left.includes('UTDATERT')) {
      write(`To be sent again by the source: GET ${api.url}/${report.id}/sendes-paa-nytt`);
    }
    return left.length === 0 ? 0 : 1;
  },
};

interface Options {
  /** path; the topic when undefined */
  list: string | undefined;
  per: string | undefined;
  /** types of differences */
  heal: string[];
  confirmed: string | undefined;
  /** URL */
  ingestor: string | undefined;
}

const HEALABLE = ['MANGLER', 'UTDATERT', 'FREMMED'];

/** @throws UsageError */
function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      fil: { type: 'string' },
      topic: { type: 'boolean', default: false },
      per: { type: 'string' },
      rett: { type: 'string', multiple: true, default: [] },
      bekreft: { type: 'string' },
      ingestor: { type: 'string' },
    },
  });
  if ((values.fil === undefined) === !values.topic) throw new UsageError('Either --fil or --topic is needed');
  if (values.bekreft !== undefined && !/^\d+$/.test(values.bekreft)) throw new UsageError('--bekreft must be a number');
  if (values.ingestor !== undefined && !URL.canParse(values.ingestor)) throw new UsageError('--ingestor must be a URL');
  const { fil: list, per, rett, bekreft, ingestor } = values;
  // Told of before anything is compared, which is kept.
  if (!rett.every((type) => HEALABLE.includes(type))) throw new UsageError(`--rett must be ${HEALABLE.join(' or ')}`);
  if (rett.includes('FREMMED') && bekreft === undefined) throw new UsageError('--rett FREMMED needs --bekreft N');
  return { list, per, heal: rett, confirmed: bekreft, ingestor };
}

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

interface RequestBody {
  type: string;
  content: Blob | string;
}

class AvstemmingApi {
  readonly url: string;

  constructor(
    ingestor: string,
    private readonly token: string,
  ) {
    this.url = `${ingestor}/drift/v1/avstemming`;
  }

  /** @throws with the status, and what is wrong, of an answer that isn't a success */
  async call<T>(method: string, path: string, body?: RequestBody): Promise<T> {
    const response = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...(body && { 'content-type': body.type }) },
      ...(body && { body: body.content }),
    }).catch(() => {
      throw new Error(`${this.url} does not answer`);
    });
    if (response.ok) return (await response.json()) as T;
    throw new Error(`${String(response.status)}: ${problemText(await response.text())}`);
  }
}

function problemText(body: string): string {
  try {
    const { detail, feil = [] } = JSON.parse(body) as { detail: string; feil?: { felt: string; melding: string }[] };
    return detail + feil.map(({ felt, melding }) => `\n  ${felt} ${melding}`).join('');
  } catch {
    return 'not an answer of the ingestor';
  }
}

async function compare(api: AvstemmingApi, { list, per }: Options): Promise<Report> {
  if (list === undefined) return api.call('POST', '?kilde=TOPIC');
  const query = per === undefined ? '' : `?per=${encodeURIComponent(per)}`;
  return api.call('POST', query, { type: 'application/x-ndjson', content: await openList(list) });
}

async function openList(file: string): Promise<Blob> {
  try {
    return await openAsBlob(file);
  } catch {
    throw new UsageError(`--fil ${file} can't be read`);
  }
}

async function heal(api: AvstemmingApi, { id }: Report, type: string, confirmed: string | undefined): Promise<void> {
  const confirmation = type === 'FREMMED' && confirmed !== undefined ? { bekreft: Number(confirmed) } : {};
  const { rettet, igjen } = await api.call<{ rettet: number; igjen: number }>('POST', `/${id}/rett`, {
    type: 'application/json',
    content: JSON.stringify({ type, ...confirmation }),
  });
  write(`${type}: ${String(rettet)} healed, ${String(igjen)} remain`);
}

function print({ id, antallHosKilden, differanser }: Report): void {
  write(`Reconciliation ${id}: the source has ${String(antallHosKilden)} avtaler`);
  const rows = differanser.map(({ type, antall, ferske, eldsteAlderSekunder: age }) => [
    type,
    { antall, ferske, 'oldest, days': age === null ? '' : Math.floor(age / 86_400) },
  ]);
  new Console(process.stdout).table(Object.fromEntries(rows));
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
