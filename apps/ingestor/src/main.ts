import 'reflect-metadata';
import { kjorApp } from '@tiltak/platform';
import { lesDatabasekonfig, lesKonfig } from './config.ts';
import { skrivDokument, startIngestor } from './ingestor.ts';
import { kjorRelasjonskontroll } from './relasjoner/kontroll.ts';

if (process.argv[2] === 'relasjoner') void kjorRelasjonskontroll(lesDatabasekonfig, process.argv.slice(3));
else if (process.argv[2] === 'openapi') void skrivDokument();
else void kjorApp(() => startIngestor(lesKonfig()));
