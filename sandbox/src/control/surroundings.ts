import type { DataSource } from 'typeorm';
import type { Consumers } from '../process/consumers.ts';
import type { SandboxIssuer } from '../process/issuer.ts';
import type { Operation } from '../process/operations.ts';

/** What the control API tells of, and does not change. */
export class Surroundings {
  constructor(
    readonly owner: DataSource,
    readonly operations: readonly Operation[],
    readonly consumers: Consumers,
    readonly issuer: SandboxIssuer,
  ) {}
}
