import { AsyncLocalStorage } from 'node:async_hooks';

/** What is known about the request being served: follows it into every log line. */
export interface RequestContext {
  callId: string;
  traceId?: string | undefined;
  spanId?: string | undefined;
  konsument?: string | undefined;
}

const store = new AsyncLocalStorage<RequestContext>();

export function currentContext(): RequestContext | undefined {
  return store.getStore();
}

export function runInContext<T>(value: RequestContext, work: () => T): T {
  return store.run(value, work);
}

export function setKonsument(name: string): void {
  const context = store.getStore();
  if (context) context.konsument = name;
}
