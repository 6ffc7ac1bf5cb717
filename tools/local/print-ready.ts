import { waitUntil } from '@tiltak/testing';
import { fetchToken, readLocalKonsumenter } from './token.ts';
import { countLoaded } from './sample-data.ts';
import { PERSONS_ON_MEASURE } from './sample-persons.ts';
import type { Ready, ReadyOrganisasjon } from './ready-file.ts';

interface Status {
  personer: { personident: string; svar: string; til: string | null; tiltak: { tiltakstype: string }[] }[];
}

/**
 * What one sees when everything is ready: first where to begin, then who is on a measure today and how to ask for them,
 * and for each organisation its addresses, what was loaded, and how to get each token.
 *
 * @param ms since the program began
 */
export async function printReady(ready: Ready, ms: number): Promise<void> {
  const { queryApi, ingestor, revisor, issuer, kafka, organisasjoner } = ready;
  const azp = readLocalKonsumenter().find(({ navn: name }) => name === 'alt')?.azp ?? '';
  const token = await fetchToken(issuer, azp);
  const parts = await Promise.all(Object.entries(organisasjoner).map(describe));
  const all = Object.keys(organisasjoner).length > 1 ? [`  All of them  ${ingestor}/drift/organisasjoner`] : [];
  console.log(`
Ready after ${(ms / 1_000).toFixed(0)} s.

  Start here   ${queryApi}/
  On duty      ${ingestor}/drift   (log in with: npm run -s token -- --drift)
  Auditors     ${revisor}/revisor   (log in with: npm run -s token -- --revisor)
${[...all, ''].join('\n')}
${parts.join('\n')}
  Kafka        ${kafka}

${await whoIsOnMeasure(queryApi, token)}

Ctrl-C stops everything.`);
}

async function describe([name, own]: [string, ReadyOrganisasjon]): Promise<string> {
  const loaded = await countLoaded(own.postgres, own.topic);
  const n = (count: number): string => count.toLocaleString('en');
  return `  ${name}
    query-api  ${own.queryApi}   Swagger UI: ${own.queryApi}/swagger
    ingestor   ${own.ingestor}   On duty: ${own.ingestor}/drift
    revisor    ${own.revisor}   Who has seen a person: ${own.revisor}/revisor
    topic      ${own.topic}
    loaded     ${n(loaded.meldinger)} messages: ${n(loaded.avtaler)} avtaler of ${n(loaded.personer)} persons at ${n(loaded.bedrifter)} employers, ${n(loaded.parkerte)} parked
    tokens     of a consumer       npm run -s token -- alt ${name}
               of somebody on duty npm run -s token -- --drift ${name}
               of an auditor       npm run -s token -- --revisor ${name}
               of an adapter       npm run -s token -- --adapter ${name}
`;
}

/** Asked of the query-api itself: data that was kept from another day may tell otherwise. */
async function whoIsOnMeasure(queryApi: string, token: string): Promise<string> {
  const path = '/api/v1/personer/tiltaksstatus';
  const body = JSON.stringify({ personidenter: PERSONS_ON_MEASURE });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  let personer: Status['personer'] = [];
  // It answers 503 until it has seen that the first load is done, which it looks for once a second.
  const ask = async (): Promise<boolean> => {
    const answer = await fetch(queryApi + path, { method: 'POST', headers, body });
    if (answer.ok) ({ personer } = (await answer.json()) as Status);
    return answer.status !== 503;
  };
  await waitUntil(ask, { what: 'the query-api to answer', everyMs: 100 });
  const lines = personer
    .filter(({ svar }) => svar === 'JA')
    .map(({ personident, til, tiltak }) => {
      const kinds = tiltak.map(({ tiltakstype }) => tiltakstype).join(' and ');
      return `  ${personident}  ${kinds}${til === null ? '' : `, until ${til}`}`;
    });
  const title =
    lines.length === 0 ? 'Try it:' : `On a measure today (synthetic persons):\n${lines.join('\n')}\n\nAsk for them:`;
  return `${title}

curl -s -X POST ${queryApi}${path} -H 'Content-Type: application/json' \\
  -H 'Authorization: Bearer ${token}' -d '${body}'`;
}
