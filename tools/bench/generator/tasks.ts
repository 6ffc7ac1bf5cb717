import { Agent, request } from 'node:http';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { Followers, type FollowerOptions } from './followers.ts';
import { measureFreshness, type FreshnessOptions, type FreshnessResult } from './freshness.ts';
import { runLoad, type LoadOptions, type LoadResult, type Stop } from './load.ts';
import type { Times } from '../measuring/statistics.ts';

/** Lines that were read, over and over, for so long. */
export interface ReadResult {
  lines: number;
  bytes: number;
  times: number;
  seconds: number;
}

/** What the process of the generator does when it is told to. */
export interface Tasks {
  load: (options: LoadOptions) => Promise<LoadResult>;
  stopLoad: () => void;
  freshness: (options: FreshnessOptions) => Promise<FreshnessResult>;
  follow: (options: FollowerOptions) => void;
  waitingFollowers: () => number;
  arrivals: (made: Record<string, number>) => { times: Times; arrived: number; failed: number };
  stopFollowing: () => void;
  readExport: (options: { url: string; headers: Record<string, string>; seconds: number }) => Promise<ReadResult>;
  copyOut: (options: { url: string; sql: string; seconds: number }) => Promise<ReadResult>;
}

const stop: Stop = { now: false };
let followers: Followers | undefined;

export const tasks: Tasks = {
  load: (options) => {
    stop.now = false;
    return runLoad(options, stop);
  },
  stopLoad: () => {
    stop.now = true;
  },
  freshness: measureFreshness,
  follow: (options) => {
    followers = new Followers(options);
  },
  waitingFollowers: () => followers?.waiting ?? 0,
  arrivals: (made) => {
    if (!followers) throw new Error('Nobody follows');
    return followers.result(made);
  },
  stopFollowing: () => followers?.stop(),
  readExport: ({ url, headers, seconds }) => again(seconds, () => readExport(url, headers)),
  copyOut: ({ url, sql, seconds }) => again(seconds, () => copyOut(url, sql)),
};

async function again(seconds: number, read: () => Promise<LineCounter>): Promise<ReadResult> {
  const result = { lines: 0, bytes: 0, times: 0, seconds: 0 };
  const begun = performance.now();
  while (result.seconds < seconds) {
    const { lines, bytes } = await read();
    result.lines += lines;
    result.bytes += bytes;
    result.times++;
    result.seconds = (performance.now() - begun) / 1_000;
  }
  return result;
}

/** @throws when there are fewer lines than the first one says; that one is not counted */
async function readExport(url: string, headers: Record<string, string>): Promise<LineCounter> {
  const counter = new LineCounter();
  const agent = new Agent();
  await new Promise<void>((done, failed) => {
    request(`${url}/api/v1/eksport`, { headers, agent }, (response) => {
      if (response.statusCode !== 200) failed(new Error(`The export answered ${String(response.statusCode)}`));
      pipeline(response, counter).then(done, failed);
    })
      .on('error', failed)
      .end();
  });
  agent.destroy();
  const { antall: count } = JSON.parse(counter.first) as { antall: number };
  counter.lines--;
  if (counter.lines !== count) throw new Error(`${String(counter.lines)} lines, and not ${String(count)}`);
  return counter;
}

async function copyOut(url: string, sql: string): Promise<LineCounter> {
  const counter = new LineCounter();
  const db = new pg.Client({ connectionString: url });
  await db.connect();
  await pipeline(db.query(copyTo(sql)), counter);
  await db.end();
  return counter;
}

class LineCounter extends Writable {
  lines = 0;
  bytes = 0;
  first = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.bytes === 0) this.first = chunk.toString('utf8', 0, chunk.indexOf('\n'));
    this.bytes += chunk.length;
    for (let i = chunk.indexOf(0x0a); i >= 0; i = chunk.indexOf(0x0a, i + 1)) this.lines++;
    done();
  }
}
