/**
 * Nobody is there any more, or what is there goes down or comes up: 08, and 57P01 to 57P03. Neither a pool that has nothing
 * free nor a server that has no room for one more (53300) is that, nor what this process itself has too few of.
 */
const LOST =
  /^(ECONN(REFUSED|RESET|ABORTED)|ETIMEDOUT|EPIPE|EHOST(UNREACH|DOWN)|ENET(UNREACH|DOWN)|08\w{3}|57P0[123])$/;

/** What has no code was never the database's answer. A connection that was not made in time may have waited for us. */
const LOST_TEXT = /Connection terminated(?! due to connection timeout)|not queryable/i;

/** Whether the server was lost, so that nothing that it was asked will be answered. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return code === '' ? LOST_TEXT.test(error.message) : LOST.test(code);
}
