import { query, queryBulk } from './benchmarks/query.ts';
const o = { rounds: 1, seconds: 2, rateSeconds: 2, count: Number(process.argv[3]), trial: true };
console.log(JSON.stringify(await (process.argv[2]==='b'?queryBulk:query)(o), null, 1));
