import { readFileSync } from 'node:fs';
import { StartupError } from '@tiltak/platform';
import { parseYaml } from '../shared/yaml.ts';
import schema from './analyse.schema.json' with { type: 'json' };
import { AVTALE_KEY, columnsOf, type Column, type OptedIn } from './columns.ts';

/** What analysis is made for a purpose, and of which columns. */
export interface Product {
  produkt: string;
  visningsnavn?: string | undefined;
  behandlingsgrunnlag: { id: string; lenke: string; formaal: string; rettsgrunnlag: string };
  /** the field whose month divides the files */
  maaned: 'startDato' | 'sluttDato';
  /** the key of the avtale first */
  columns: readonly Column[];
}

interface ProductEntry extends Omit<Product, 'columns'> {
  kolonner: OptedIn[];
}

/** Each line names the file, the product and the column, and what is wrong there. */
class InvalidProductsError extends StartupError {
  constructor(file: string, errors: string[]) {
    super(errors.map((line) => `${file}: ${line}`).join('\n'));
  }
}

/** How the audit names who gets it: no consumer can have such a name. */
export const auditedAs = ({ produkt }: Pick<Product, 'produkt'>): string => `analyse:${produkt}`;

/**
 * Reads the products for analysis, `analyse.yaml`.
 *
 * @throws InvalidProductsError when it can't be read, or opts in what no product may be made of
 */
export function readProducts(file: string): Product[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InvalidProductsError(file, [`can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`]);
  }
  const refuse = (errors: string[]): Error => new InvalidProductsError(file, errors);
  const entries = parseYaml<ProductEntry[]>(text, schema, refuse);
  const errors: string[] = [];
  const products = entries.map((entry) => toProduct(entry, errors));
  const names = entries.map(({ produkt }) => produkt);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) errors.push(`produkt ${twice} stands twice`);
  if (errors.length > 0) throw refuse(errors);
  return products;
}

function toProduct({ kolonner: optedIn, ...product }: ProductEntry, errors: string[]): Product {
  const columns = optedIn.flatMap((column) => {
    const found = columnsOf(column);
    if (!('refused' in found)) return found;
    errors.push(`${product.produkt}: ${column.felt} ${found.refused}`);
    return [];
  });
  for (const [i, { name }] of columns.entries()) {
    if (columns.findIndex((other) => other.name === name) !== i)
      errors.push(`${product.produkt}: ${name} stands twice`);
  }
  // The name of a file tells the month.
  if (!optedIn.some(({ felt }) => felt === product.maaned))
    errors.push(`${product.produkt}: maaned ${product.maaned} is not one of the columns`);
  return { ...product, columns: [AVTALE_KEY, ...columns] };
}
