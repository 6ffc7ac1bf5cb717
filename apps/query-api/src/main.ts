import 'reflect-metadata';
import { runApp } from '@tiltak/platform';
import { readConfig } from './config.ts';
import { printOpenApi, startQueryApi } from './query-api.ts';

if (process.argv[2] === 'openapi') void printOpenApi();
else void runApp(() => startQueryApi(readConfig()));
