import type { ServerResponse } from 'node:http';

/**
 * What is being answered, so that it can be cut off for who is no longer let in: an export may take an hour, and a reader
 * that waits for changes half a minute.
 */
export class OpenRequests {
  private readonly open = new Set<{ response: ServerResponse; isGranted: () => boolean }>();

  add(response: ServerResponse, isGranted: () => boolean): void {
    // Gone already, and it would never be told of again.
    if (response.closed) return;
    const request = { response, isGranted };
    this.open.add(request);
    response.once('close', () => this.open.delete(request));
  }

  /** @returns how many */
  cutOffDenied(): number {
    const denied = [...this.open].filter(({ isGranted }) => !isGranted());
    for (const { response } of denied) response.destroy();
    return denied.length;
  }
}
