import { logger, startJob, type BackgroundJob } from '@tiltak/platform';
import type { Admin } from 'kafkajs';
import { metrics } from '../metrics.ts';

/** What the consumer knows of itself. */
interface Membership {
  readonly isMember: boolean;
  readonly assigned: number;
}

export interface Watched {
  groupId: string;
  /** of every ingestor of the organisation */
  clientId: string;
}

/**
 * Who else is in the consumer group? Members that are no ingestor of the organisation take partitions that nobody stores
 * then, and each that comes or goes stops all of them for a while.
 */
export class GroupWatch {
  private foreign = 0;
  private job: BackgroundJob | undefined;

  constructor(
    private readonly admin: Admin,
    private readonly membership: Membership,
    private readonly watched: Watched,
  ) {}

  /** Whether the stream gets on, as far as Kafka goes: no partition is right only when another ingestor has them. */
  get isConsuming(): boolean {
    const { isMember, assigned } = this.membership;
    return isMember && (assigned > 0 || this.foreign === 0);
  }

  start(): void {
    this.job = startJob({ name: 'konsumentgruppe', everyMs: 10_000, run: () => this.round() });
  }

  /** Kafka may be away. */
  async stop(): Promise<void> {
    await this.job?.stop(1_000);
  }

  async round(): Promise<void> {
    const { groupId, clientId } = this.watched;
    const { groups } = await this.admin.describeGroups([groupId]);
    const members = groups.flatMap((group) => group.members);
    const foreign = members.filter((member) => member.clientId !== clientId);
    if (foreign.length !== this.foreign) {
      logger.warn({ gruppe: groupId, fremmede: foreign.length }, 'Members of the consumer group that are no ingestor');
    }
    this.foreign = foreign.length;
    metrics.groupMembers.set({ slag: 'EGNE' }, members.length - foreign.length);
    metrics.groupMembers.set({ slag: 'FREMMEDE' }, foreign.length);
  }
}
