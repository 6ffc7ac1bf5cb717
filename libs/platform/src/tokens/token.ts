import type { EntraToken } from './entra.ts';
import type { MaskinportenToken } from './maskinporten.ts';

/** What a verified token says, as its own issuer is read. Who issued it tells what can be asked of it. */
export type Token = EntraToken | MaskinportenToken;

/**
 * The client that asks, told from all others: of Entra ID `azp`, which has no colon; of Maskinporten the organisation whose
 * rights it uses, and its own id.
 */
export function clientOf(token: Token): string {
  return token.issuedBy === 'entra' ? token.azp : `0192:${token.consumer}/${token.clientId}`;
}

/** Organisation numbers of those who ask from outside of Nav: the consumer, and then the supplier that asks for it. */
export function organisationsOf(token: Token): readonly string[] | undefined {
  if (token.issuedBy === 'entra') return undefined;
  return token.supplier === undefined ? [token.consumer] : [token.consumer, token.supplier];
}
