import { AsyncLocalStorage } from 'node:async_hooks';

/** What is known about the request being served: follows it into every log line. */
export interface Kontekst {
  callId: string;
  traceId?: string | undefined;
  spanId?: string | undefined;
  konsument?: string | undefined;
}

const lager = new AsyncLocalStorage<Kontekst>();

export function kontekst(): Kontekst | undefined {
  return lager.getStore();
}

export function iKontekst<T>(verdi: Kontekst, arbeid: () => T): T {
  return lager.run(verdi, arbeid);
}

export function settKonsument(navn: string): void {
  const naa = lager.getStore();
  if (naa) naa.konsument = navn;
}
