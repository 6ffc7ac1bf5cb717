import { PROBLEMS, Problem } from '@tiltak/platform';
import type { FastifyRequest } from 'fastify';
import { tokenOf } from '../access.guard.ts';
import type { Adapter } from './adapter.ts';
import { requireContract } from './contract.ts';
import type { Pushed } from './pushed/pushed.ts';
import { toSynkDto, type SynkDto } from './sync.dto.ts';
import { pageOf, parsePage, type SyncType } from './sync-page.ts';
import { readMissingPages, saveFailure, type SyncRow } from './sync.queries.ts';

const MISSING_PAGES_SHOWN = 1_000;
/** Of one refusal. */
const FAULTS_KEPT = 10;

/** What is asked of syncs, whatever resource they are of. */
export class SyncRequests {
  constructor(private readonly adapter: Adapter) {}

  /** A page. @throws Problem */
  async receive(resource: Pushed, type: SyncType, body: object, request: FastifyRequest): Promise<SynkDto> {
    const { ukjenteFelter, ressurser } = await requireContract(this.adapter.pool, tokenOf(request));
    return this.rememberRefusal(pageOf(body), async () => {
      requirePromised(ressurser, resource);
      return this.progress(await this.adapter.syncs.receive(await parsePage(type, body, ukjenteFelter, resource)));
    });
  }

  async get(syncId: string, request: FastifyRequest): Promise<SynkDto> {
    await requireContract(this.adapter.pool, tokenOf(request));
    return this.progress(await this.adapter.syncs.get(syncId));
  }

  async confirm(syncId: string, request: FastifyRequest): Promise<SynkDto> {
    const { klient: client } = await requireContract(this.adapter.pool, tokenOf(request));
    return this.rememberRefusal({ synkId: syncId, side: null }, async () =>
      this.progress(await this.adapter.syncs.confirm(syncId, client)),
    );
  }

  /** So that what was last refused is seen afterwards too, by people who were not there. */
  private async rememberRefusal<T>(
    page: { synkId: string | null; side: number | null },
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Problem) {
        const { problemType, detail, extras } = error;
        const faults = (extras.feil ?? []).slice(0, FAULTS_KEPT);
        await saveFailure(this.adapter.pool, { ...page, status: problemType.status, detail, feil: faults }).catch(
          () => undefined,
        );
      }
      throw error;
    }
  }

  private async progress(sync: SyncRow): Promise<SynkDto> {
    if (sync.mottatteSider === sync.antallSider) return toSynkDto(sync, []);
    return toSynkDto(sync, await readMissingPages(this.adapter.pool, sync.synkId, MISSING_PAGES_SHOWN));
  }
}

/** What is late is told by the contract: nothing comes that it does not name. */
function requirePromised(promised: readonly string[], { name }: Pushed): void {
  if (promised.includes(name)) return;
  throw new Problem(
    PROBLEMS.KONFLIKT,
    `The contract does not name ${name} in ressurser: PUT /adapter/v1/kontrakt first`,
  );
}
