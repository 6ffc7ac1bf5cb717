import { answerOf, type QueryApiClient } from '@navikt/tiltak-datadeling-klient';

/** A made-up consumer: pays for travel to those who are on a measure today. */
export async function whoTravels(client: QueryApiClient, idents: readonly string[]): Promise<string[]> {
  const { personer } = await answerOf(
    client.POST('/api/v1/personer/tiltaksstatus', { body: { personidenter: [...idents] } }),
  );
  return personer.flatMap(({ svar, personident }) => (svar === 'JA' && personident !== undefined ? [personident] : []));
}
