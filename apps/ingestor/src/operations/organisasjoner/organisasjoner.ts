import { logger, StartupError } from '@tiltak/platform';
import { STATES, type State } from '../condition/checks.ts';

/** Open within the cluster, as metrics are: how it goes in one word for each thing, and nothing of any avtale. */
export const OPEN_CONDITION_ROUTE = '/internal/tilstand';

const DEADLINE_MS = 2_000;
const MAX_CHARS = 20_000;

export interface ListedOrganisasjon {
  navn: string;
  /** of its ingestor, where this one reaches it */
  url: string;
  /** of the page, where people reach it */
  side: string;
}

/** What one of them says of itself, and whether it says anything. */
export interface ReadOrganisasjon {
  navn: string;
  side: string;
  /** undefined: it did not answer */
  tilstand: State | undefined;
  dataOppdatert: string | null;
  sjekker: { kode: string; tilstand: State }[];
}

/** @throws StartupError naming the entry that is none */
export function parseOrganisasjoner(entries: readonly string[]): ListedOrganisasjon[] {
  return entries.map((entry) => {
    const [, name = '', url = '', page = url] = /^([a-z][a-z0-9-]*)=([^|\s]+)(?:\|([^|\s]+))?$/.exec(entry) ?? [];
    if (![url, page].every(isHttp)) throw new StartupError(`DRIFT_ORGANISASJONER: ${entry} is not name=https://…`);
    return { navn: name, url: withoutSlash(url), side: withoutSlash(page) };
  });
}

const isHttp = (text: string): boolean => /^https?:$/.test(URL.parse(text)?.protocol ?? '');
const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

/**
 * Asks each of them what is open there. No token goes along: who is on duty here need not be that there, and what they may
 * see of another is what its own page shows them.
 */
export function readOrganisasjoner(listed: readonly ListedOrganisasjon[]): Promise<ReadOrganisasjon[]> {
  return Promise.all(listed.map(readOne));
}

async function readOne({ navn, url, side }: ListedOrganisasjon): Promise<ReadOrganisasjon> {
  const silent = { navn, side, tilstand: undefined, dataOppdatert: null, sjekker: [] };
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const answer = await fetch(url + OPEN_CONDITION_ROUTE, { signal, redirect: 'error' });
    const text = await answer.text();
    if (!answer.ok || text.length > MAX_CHARS) return silent;
    const { organisasjon, tilstand, dataOppdatert, sjekker } = JSON.parse(text) as Record<string, unknown>;
    // Another than the one that is listed would be shown under its name.
    if (organisasjon !== navn || !isState(tilstand)) return silent;
    return { navn, side, tilstand, dataOppdatert: timeIn(dataOppdatert), sjekker: checksIn(sjekker) };
  } catch (error) {
    logger.debug({ err: error, organisasjon: navn }, 'An organisation does not tell how it goes');
    return silent;
  }
}

const isState = (value: unknown): value is State => STATES.some((state) => state === value);
const timeIn = (value: unknown): string | null =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : null;

function checksIn(value: unknown): ReadOrganisasjon['sjekker'] {
  if (!Array.isArray(value)) return [];
  return (value as { kode?: unknown; tilstand?: unknown }[]).flatMap(({ kode, tilstand }) =>
    typeof kode === 'string' && /^\w{1,50}$/.test(kode) && isState(tilstand) ? [{ kode, tilstand }] : [],
  );
}
