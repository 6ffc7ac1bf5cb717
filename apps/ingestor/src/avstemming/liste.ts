import type { Readable } from 'node:stream';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { lesInstant } from '@tiltak/avtale';
import { fellesFeil, Problem } from '@tiltak/platform';

const RUTE = '/drift/v1/avstemming';
export const NDJSON = 'application/x-ndjson';
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MAKS_TEGN_PER_LINJE = 1_000;
const LINJER_PER_BOLK = 5_000;

/** Lists come as a stream, on their route and nowhere else. */
export function taImotLister(app: NestFastifyApplication): NestFastifyApplication {
  const server = app.getHttpAdapter().getInstance();
  server.addContentTypeParser(NDJSON, (request, body, ferdig) => {
    if (request.method === 'POST' && request.routeOptions.url === RUTE) return ferdig(null, body);
    ferdig(new Problem(fellesFeil.FEIL_MEDIETYPE, 'The body must be application/json'));
  });
  return app;
}

/**
 * The lines of a list as COPY text for (avtale_id, sist_endret), some thousand at a time, so that memory stays flat.
 * @throws Problem 400 with the number of the line and the field, 413 for more than `maksLinjer` or for one that is endless
 */
export async function* lesListe(strom: Readable, maksLinjer: number): AsyncGenerator<string[]> {
  let bolk: string[] = [];
  let linjenummer = 0;
  for await (const linje of linjerI(strom)) {
    linjenummer++;
    if (linje.trim() === '') continue;
    if (linjenummer > maksLinjer) {
      throw new Problem(fellesFeil.FOR_STOR, `The list has more than ${String(maksLinjer)} lines`);
    }
    bolk.push(lesLinje(linje, linjenummer));
    if (bolk.length < LINJER_PER_BOLK) continue;
    yield bolk;
    bolk = [];
  }
  yield bolk;
}

async function* linjerI(strom: Readable): AsyncGenerator<string> {
  const tekst = new TextDecoder();
  let rest = '';
  try {
    // The socket is the caller's way to the answer: a stream that is left half read must not close it.
    for await (const del of strom.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const linjer = (rest + tekst.decode(del, { stream: true })).split('\n');
      rest = linjer.pop() ?? '';
      // What has no end in sight is refused before it fills the memory.
      if (rest.length > MAKS_TEGN_PER_LINJE) throw new Problem(fellesFeil.FOR_STOR, 'A line of the list is too long');
      yield* linjer;
    }
    yield rest + tekst.decode();
  } catch (feil) {
    if (!strom.readableAborted) throw feil;
    throw new Problem(fellesFeil.UGYLDIG_FORESPORSEL, 'The list broke off', { cause: feil });
  } finally {
    // Nobody reads the rest, and the answer is only read when all is sent.
    strom.resume();
  }
}

function lesLinje(linje: string, nummer: number): string {
  if (linje.length > MAKS_TEGN_PER_LINJE) throw new Problem(fellesFeil.FOR_STOR, `Line ${String(nummer)} is too long`);
  const { avtaleId, sistEndret } = somObjekt(linje, nummer);
  if (typeof avtaleId !== 'string' || !UUID.test(avtaleId)) throw ugyldig(nummer, 'avtaleId', 'must be a UUID');
  const tid = typeof sistEndret === 'string' ? lesInstant(sistEndret) : undefined;
  if (tid === undefined) throw ugyldig(nummer, 'sistEndret', 'must be a time in UTC, as 2026-01-31T12:00:00Z');
  return `${avtaleId}\t${tid}\n`;
}

function somObjekt(linje: string, nummer: number): Record<string, unknown> {
  try {
    const verdi: unknown = JSON.parse(linje);
    if (typeof verdi === 'object' && verdi !== null && !Array.isArray(verdi)) return verdi as Record<string, unknown>;
  } catch {
    // Told below, without the text of the line.
  }
  throw ugyldig(nummer, 'linje', 'must be a JSON object');
}

function ugyldig(nummer: number, felt: string, melding: string): Problem {
  return new Problem(fellesFeil.UGYLDIG_FORESPORSEL, `Line ${String(nummer)} of the list is not valid`, {
    feil: [{ felt: `${String(nummer)}.${felt}`, melding }],
  });
}
