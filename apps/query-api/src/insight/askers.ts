import { readKonsumenter, type Konsumenter } from '../access/konsumenter.ts';
import { auditedAs, readProducts, type Product } from '../analysis/products.ts';

/** Who asked, and what for, as people are told it. */
export interface Asker {
  /** what people call it; its name where nobody knows it any more */
  visningsnavn: string;
  /** the product for analysis that it was made for */
  produkt?: string;
  formaal: string | undefined;
  rettsgrunnlag: string | undefined;
  lenke: string | undefined;
}

/** Those that the audit names: consumers of the registry, and products for analysis. As they are now. */
export class Askers {
  private readonly konsumenter: ReadonlyMap<string, Named>;
  private readonly products: ReadonlyMap<string, Named>;

  constructor(konsumenter: Konsumenter, products: readonly Product[] = []) {
    this.konsumenter = new Map([...konsumenter.values()].map((konsument) => [konsument.navn, konsument]));
    this.products = new Map(
      products.map((product) => [
        auditedAs(product),
        { visningsnavn: product.visningsnavn, behandlingsgrunnlag: [product.behandlingsgrunnlag] },
      ]),
    );
  }

  of(konsument: string, behandlingsgrunnlag: string | null): Asker {
    const known = this.konsumenter.get(konsument) ?? this.products.get(konsument);
    const purpose = known?.behandlingsgrunnlag.find(({ id }) => id === behandlingsgrunnlag);
    const { formaal, rettsgrunnlag, lenke } = purpose ?? {};
    const product = konsument.startsWith(PRODUCT) ? konsument.slice(PRODUCT.length) : undefined;
    const visningsnavn = known?.visningsnavn ?? (product === undefined ? konsument : `Analyse: ${product}`);
    return { visningsnavn, ...(product !== undefined && { produkt: product }), formaal, rettsgrunnlag, lenke };
  }
}

/**
 * @param registry path of the registry of consumers
 * @param products and of the products for analysis
 * @throws StartupError when one of them can't be used
 */
export function readAskers(registry: string, products: string | undefined): Askers {
  return new Askers(readKonsumenter(registry), products === undefined ? [] : readProducts(products));
}

/** No consumer's name has a colon. */
const PRODUCT = auditedAs({ produkt: '' });

interface Named {
  visningsnavn?: string | undefined;
  behandlingsgrunnlag: readonly {
    id: string;
    lenke: string;
    formaal?: string | undefined;
    rettsgrunnlag?: string | undefined;
  }[];
}
