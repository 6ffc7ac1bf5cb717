import { createRequire } from 'node:module';

/**
 * What runs the query-api: the product's own program, in a process with another clock. The program knows nothing of it, and
 * a process that the sandbox has not started has no such clock.
 */
const RealDate = Date;
const realNow = RealDate.now.bind(RealDate);
let aheadMs = 0;

/** Told by the sandbox: begin, and later what time it is. */
export type ToQueryApi = { program: string; environment: Record<string, string> } | { aheadMs: number };

RealDate.now = () => realNow() + aheadMs;
globalThis.Date = new Proxy(RealDate, {
  apply: () => new RealDate(RealDate.now()).toString(),
  construct: (target, args: unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [RealDate.now()] : args, newTarget),
});

const load = createRequire(__filename);

process.on('message', (message: ToQueryApi) => {
  if ('program' in message) {
    Object.assign(process.env, message.environment);
    load(message.program);
  } else {
    ({ aheadMs } = message);
    process.send?.({ aheadMs });
  }
});
// Whoever started it is gone, in whatever way.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));

/** What takes long to load is loaded while there is no database to connect to yet. */
const HEAVY = [
  'reflect-metadata',
  '@nestjs/core',
  '@nestjs/platform-fastify',
  '@nestjs/swagger',
  'class-validator',
  'typeorm',
  'pg',
  'pino',
  'graphql',
  'jose',
];
for (const name of HEAVY) load(name);
