import type { Tree } from 'nx/src/devkit-exports';
import { parse } from 'yaml';
import {
  databasen,
  ingestor,
  KONSUMENTER,
  lokalt,
  medRegler,
  MILJOER,
  queryApi,
  topicen,
  type Konsument,
} from './manifester.ts';
import { egetTopic, erOrganisasjonsnavn, NAVNEREGEL } from './navn.ts';

/**
 * `npx nx g organisasjon <navn>`: what an organisation needs on the platform and on the local stack. What stands there
 * already is left as it is, but for the access policy of the query-api, which always follows the registry of consumers.
 *
 * @throws when the name or the topic can't be used, or a registry can't be read; then nothing is written
 */
export function organisasjon(tre: Tree, valg: { navn: string; topic?: string }): void {
  // On the command line a number is a number.
  const navn = String(valg.navn);
  if (!erOrganisasjonsnavn(navn)) throw new Error(`The name of an organisation must be ${NAVNEREGEL}.`);
  const oppsett = `tools/lokal/organisasjoner/${navn}.yaml`;
  const topic = velgTopic(navn, valg.topic, tre.read(oppsett, 'utf8'));
  const skriv = (sti: string, innhold: string): void => {
    if (!tre.exists(sti)) tre.write(sti, innhold);
  };
  for (const miljo of MILJOER) {
    const fil = (hva: string): string => `nais/${navn}/${hva}-${miljo}.yaml`;
    skriv(fil('konsumenter'), KONSUMENTER[miljo]);
    skriv(fil('database'), databasen(navn, miljo));
    if (topic === egetTopic(navn)) skriv(fil('topic'), topicen(navn, miljo));
    skriv(fil('ingestor'), ingestor(navn, miljo, topic));
    skriv(fil('query-api'), queryApi(navn, miljo));
    const manifest = tre.read(fil('query-api'), 'utf8') ?? '';
    const ferdig = medRegler(manifest, lesRegister(fil('konsumenter'), tre.read(fil('konsumenter'), 'utf8') ?? ''));
    if (ferdig !== manifest) tre.write(fil('query-api'), ferdig);
  }
  skriv(oppsett, lokalt(navn, topic));
}

const TOPIC = /^[a-z0-9][a-z0-9._-]{0,200}$/;

function velgTopic(navn: string, onsket: string | undefined, oppsett: string | null): string {
  if (onsket !== undefined && !TOPIC.test(onsket)) throw new Error('--topic must be the name of a topic.');
  const { topic } = (oppsett === null ? {} : parse(oppsett)) as { topic?: string };
  if (topic !== undefined && onsket !== undefined && onsket !== topic) {
    throw new Error(`${navn} has the topic ${topic} already.`);
  }
  return topic ?? onsket ?? egetTopic(navn);
}

/** The rest of a registry is validated where it is used, by the query-api. */
function lesRegister(fil: string, innhold: string): Konsument[] {
  const linjer = parse(innhold) as unknown;
  const erNavn = (verdi: unknown): boolean => typeof verdi === 'string' && /^[a-z][a-z0-9-]{0,62}$/.test(verdi);
  const erKonsument = (linje: unknown): linje is Konsument => {
    const { navn, namespace } = (linje ?? {}) as Partial<Konsument>;
    return erNavn(navn) && (namespace === undefined || erNavn(namespace));
  };
  if (!Array.isArray(linjer) || !linjer.every(erKonsument)) {
    throw new Error(`${fil} must be a list of consumers, as apps/query-api/src/tilgang/konsumenter.schema.json says.`);
  }
  return linjer;
}
