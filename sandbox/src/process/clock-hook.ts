/**
 * Loaded into the process of the query-api before its program (`node --require`): its clock is what the sandbox says. The
 * program is the product's own, and knows nothing of it; a process that the sandbox has not started has no such clock.
 */
const RealDate = Date;
const realNow = RealDate.now.bind(RealDate);
let aheadMs = 0;

RealDate.now = () => realNow() + aheadMs;
globalThis.Date = new Proxy(RealDate, {
  apply: () => new RealDate(RealDate.now()).toString(),
  construct: (target, args: unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [RealDate.now()] : args, newTarget),
});

process.on('message', (message: { aheadMs: number }) => {
  ({ aheadMs } = message);
  process.send?.({ aheadMs });
});
// Whoever started it is gone, in whatever way.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
