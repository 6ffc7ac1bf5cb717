/** What all TypeScript programs share: asks in each case, and prints what was seen, a line of JSON for each. */
export async function run(name, ask) {
  const seen = await ask().catch((error) => ({ error: `${error.name ?? 'Error'}: ${error.message ?? error}` }));
  console.log(JSON.stringify({ case: name, ...seen }));
}

export const nullsOf = ({ avtaleNr, bedriftNr, startDato, annullertTidspunkt }) => ({
  nuller: {
    avtaleNr: avtaleNr === null,
    bedriftNr: bedriftNr === null,
    startDato: startDato === null,
    annullertTidspunkt: annullertTidspunkt === null,
  },
});

/** A moment as the client gives it: text, or a Date, which knows no microseconds. */
export const timeOf = (time) => ({ tid: time instanceof Date ? time.toISOString() : String(time) });

export async function exported(given) {
  if (given instanceof Blob) return { linjer: linesIn(await given.text()), form: 'a Blob' };
  const stream = given instanceof Response ? given.body : given;
  if (stream instanceof ReadableStream) return { linjer: linesIn(await new Response(stream).text()), form: 'a stream' };
  if (typeof given === 'string') return { linjer: linesIn(given), form: 'a text' };
  throw new TypeError(`the export is given as ${typeof given}`);
}

const linesIn = (text) => text.trim().split('\n').length;
