import type { Resource } from '@tiltak/resource';
import type { ResourceIngest } from '../ingest/resource-writer.ts';
import { virksomheter } from './virksomheter/virksomheter.ts';

/** All that topics bring besides avtaler, whose way in is older: a new one is a folder here, and a line (ADR 64). */
export const RESOURCES: readonly ResourceIngest[] = [virksomheter];

/** The topic of each that has one. */
export function topicsOf(
  resources: readonly ResourceIngest[],
  config: Readonly<Record<string, unknown>>,
): { ingest: ResourceIngest; resource: Resource; topic: string }[] {
  return resources.flatMap((ingest) => {
    const topic = config[ingest.topicVariable];
    return typeof topic === 'string' && topic !== '' ? [{ ingest, resource: ingest.resource, topic }] : [];
  });
}
