import type { ResourceDefinition } from './resource.ts';
import { virksomheter } from './virksomheter/virksomheter.ts';

/** All that topics bring besides avtaler, whose way in is older: a new one is a folder here, and a line (ADR 64). */
export const RESOURCES: ResourceDefinition[] = [virksomheter];

/** The topic of each that has one. */
export function topicsOf(
  config: Readonly<Record<string, unknown>>,
): { ingest: ResourceDefinition; name: string; topic: string }[] {
  return RESOURCES.flatMap((ingest) => {
    const topic = config[ingest.topicVariable];
    return typeof topic === 'string' && topic !== '' ? [{ ingest, name: ingest.resource.name, topic }] : [];
  });
}
