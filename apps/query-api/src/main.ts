import 'reflect-metadata';
import { kjorApp } from '@tiltak/platform';
import { lesKonfig } from './config.ts';
import { skrivDokument, startQueryApi } from './query-api.ts';

if (process.argv[2] === 'openapi') void skrivDokument();
else void kjorApp(() => startQueryApi(lesKonfig()));
