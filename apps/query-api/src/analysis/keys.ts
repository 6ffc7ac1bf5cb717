import { createHmac, createSecretKey } from 'node:crypto';
import type { PersonalData } from '@tiltak/avtale';
import { deltakerIdWith } from '@tiltak/database';
import { StartupError } from '@tiltak/platform';
import type { Pool } from 'pg';

/** What stands for an ident in one product. */
export interface ProductKeys {
  /** 32 hex digits. What is of one kind is the same wherever it stands in the product, and in no other product. */
  of: (kind: PersonalData, value: string) => string;
  /** tells one key from another, and nothing of it: made as that of `deltaker_id`, so that the two can be compared */
  check: string;
}

/** @param key hex, at least 32 bytes; of this product alone */
export function productKeys(key: string): ProductKeys {
  const secret = createSecretKey(key, 'hex');
  return {
    of: (kind, value) => createHmac('sha256', secret).update(`${kind}:${value}`).digest('hex').slice(0, 32),
    check: deltakerIdWith(key)('noekkelkontroll'),
  };
}

const REASONS: Readonly<Record<string, string>> = {
  DELTAKER_ID: 'is the key that opaque ids are derived with: a product must have its own',
  ANNET_PRODUKT: 'is the key of another product: the two could be joined',
  ANNEN_NOEKKEL: 'differs from the key that this product was made with before',
};

/** Notes the key the first time. @throws StartupError when it can't be this product's */
export async function registerKey(db: Pool, product: string, { check }: ProductKeys): Promise<void> {
  const { rows } = await db.query<{ reason: string | null }>('select registrer_analyseprodukt($1, $2) as reason', [
    product,
    check,
  ]);
  const reason = rows[0]?.reason;
  if (reason) throw new StartupError(`ANALYSE_NOEKKEL ${REASONS[reason] ?? 'can not be used'} (${product})`);
}
