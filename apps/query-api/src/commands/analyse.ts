import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { createPool, databaseOptions } from '@tiltak/database';
import { UsageError, type Command } from '@tiltak/platform';
import type { Pool } from 'pg';
import { writeFiles } from '../analysis/files.ts';
import { productKeys, registerKey, type ProductKeys } from '../analysis/keys.ts';
import { readManifest, type Manifest } from '../analysis/manifest.ts';
import { readProducts, type Product } from '../analysis/products.ts';
import { continueSeries } from '../analysis/series.ts';
import { copyToTable, publicationName } from '../analysis/table.ts';
import { readPosition } from '../changes/feed-position.ts';
import { readAnalysisConfig } from '../config.ts';

/** A product for analysis, as Parquet files or as a table that is replicated. */
export const analyse: Command = {
  usage: `Usage: npm run analyse -- --til DIR [options], in the image node main.cjs analyse [options]

Writes a product for analysis, of the columns that the file ANALYSE_FIL opts in, from one snapshot of the database: Parquet
files by month, and a manifest, which is written last. Idents are keys of the product, made with ANALYSE_NOEKKEL. It is
audited before anything is written. Reads DB_* of a login in datadeling_analyse, and ORGANISASJON.

  --produkt NAME      which, when the file has several
  --til DIR           an empty directory, for all avtaler
  --siden FROM        with --til: only what has changed since then, the manifest of a run, or its position
  --serie DIR         the next run of a series, in a directory of its own there: what has changed since the last one
  --alt-hver DAYS     with --serie: everything again after so many days, and the runs before it go (30)
  --til-database      brings the product's table in the database ANALYSE_DB_DATABASE up to now, for replication

Exit code: 0, or 2 when it could not be written.
`,
  run: async (args) => {
    const options = readOptions(args);
    const config = readAnalysisConfig();
    const product = choose(readProducts(config.ANALYSE_FIL), options.product);
    const keys = productKeys(config.ANALYSE_NOEKKEL);
    const db = connect(config, config.DB_DATABASE);
    try {
      await registerKey(db, product.produkt, keys);
      if (options.toDatabase) await toDatabase(db, config, { product, keys });
      else await toFiles(db, options, { product, keys, organisasjon: config.ORGANISASJON });
      return 0;
    } finally {
      await db.end();
    }
  },
};

interface Options {
  product: string | undefined;
  directory: string | undefined;
  since: string | undefined;
  series: string | undefined;
  allEveryDays: number;
  toDatabase: boolean;
}

/** @throws UsageError */
function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      produkt: { type: 'string' },
      til: { type: 'string' },
      siden: { type: 'string' },
      serie: { type: 'string' },
      'alt-hver': { type: 'string', default: '30' },
      'til-database': { type: 'boolean', default: false },
    },
  });
  const { til: directory, siden: since, serie: series, 'til-database': toDatabase } = values;
  if ([directory !== undefined, series !== undefined, toDatabase].filter(Boolean).length !== 1)
    throw new UsageError('One of --til, --serie and --til-database must be given');
  if (since !== undefined && directory === undefined) throw new UsageError('--siden goes with --til');
  if (!/^[1-9]\d{0,2}$/.test(values['alt-hver'])) throw new UsageError('--alt-hver must be a number of days');
  return { product: values.produkt, directory, since, series, allEveryDays: Number(values['alt-hver']), toDatabase };
}

/** @throws UsageError */
function choose(products: readonly Product[], name: string | undefined): Product {
  const names = products.map(({ produkt }) => produkt).join(', ') || 'none';
  const [first, ...others] = products.filter(({ produkt }) => name === undefined || produkt === name);
  if (!first) throw new UsageError(`There is no such product, only: ${names}`);
  if (others.length > 0) throw new UsageError(`--produkt is missing: one of ${names}`);
  return first;
}

type AnalysisConfig = ReturnType<typeof readAnalysisConfig>;

/** One connection reads, one writes to the audit, and one holds the directory. */
function connect(config: AnalysisConfig, database: string): Pool {
  const options = databaseOptions(
    { ...config, DB_DATABASE: database },
    {
      pooled: config.DB_POOLER === 'transaksjon',
      applicationName: `analyse-${config.ORGANISASJON}`,
      statementTimeoutMs: 60 * 60_000,
      connectTimeoutMs: 5_000,
    },
  );
  return createPool({ ...options, poolSize: 3 });
}

async function toFiles(
  db: Pool,
  { directory, since, series, allEveryDays }: Options,
  what: { product: Product; keys: ProductKeys; organisasjon: string },
): Promise<void> {
  const writing = { ...what, callId: randomUUID() };
  if (series !== undefined) {
    const { directory: run, manifest, instead } = await continueSeries(db, { ...writing, series, allEveryDays });
    if (instead !== undefined) process.stdout.write(`${instead}: everything is written anew\n`);
    return tell(manifest, run);
  }
  const to = directory ?? '';
  const from = since === undefined ? undefined : readPosition(since) ? since : readManifest(since);
  tell(await writeFiles(db, { ...writing, directory: to, since: from }), to);
}

function tell({ produkt, slag, rader, fjernet, filer: files, posisjon }: Manifest, directory: string): void {
  const removed = slag === 'ALT' ? '' : `, and ${String(fjernet)} that are gone`;
  const bytes = files.reduce((sum, { byte }) => sum + byte, 0);
  process.stdout.write(
    `${produkt}: ${String(rader)} avtaler${removed}, in ${String(files.length)} files, ${String(bytes)} bytes, in ${directory}; position ${posisjon}\n`,
  );
}

async function toDatabase(
  db: Pool,
  config: AnalysisConfig,
  { product, keys }: { product: Product; keys: ProductKeys },
): Promise<void> {
  if (config.ANALYSE_DB_DATABASE === undefined) throw new UsageError('ANALYSE_DB_DATABASE is not set');
  const target = connect(config, config.ANALYSE_DB_DATABASE);
  try {
    const copied = await copyToTable(db, target, { product, keys, callId: randomUUID() });
    if (copied.instead !== undefined) process.stdout.write(`${copied.instead}: everything is compared\n`);
    process.stdout.write(
      `${product.produkt}: ${String(copied.rader)} avtaler, and ${String(copied.fjernet)} that are gone, for the publication ${publicationName(product)}; position ${copied.posisjon}\n`,
    );
  } finally {
    await target.end();
  }
}
