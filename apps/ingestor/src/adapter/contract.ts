import { clientOf, PROBLEMS, Problem, type Token } from '@tiltak/platform';
import type { Pool } from 'pg';
import type { HjerteslagDto } from './contract.dto.ts';
import { readContract, type ContractRow } from './contract.queries.ts';

/** @throws Problem 409 when there is no contract, 403 when it is another client's */
export async function requireContract(pool: Pool, token: Token): Promise<ContractRow> {
  const contract = await readContract(pool);
  if (!contract) throw new Problem(PROBLEMS.KONFLIKT, 'There is no contract: PUT /adapter/v1/kontrakt first');
  if (contract.klient !== clientOf(token)) throw foreignContract();
  return contract;
}

export function foreignContract(): Problem {
  return new Problem(PROBLEMS.IKKE_TILGANG, 'The contract belongs to another client');
}

export function assessHeartbeat(contract: ContractRow): HjerteslagDto {
  const intervals = contract.secondsSince / 60 / contract.heartbeatIntervallMinutter;
  return {
    tilstand: intervals > 2 ? 'STANSET' : intervals > 1 ? 'FORSINKET' : 'OK',
    sist: contract.hjerteslag?.toISOString() ?? null,
  };
}
