import 'reflect-metadata';
import { kjorApp } from '@tiltak/platform';
import { lesKonfig } from './config.ts';
import { startIngestor } from './ingestor.ts';

void kjorApp(() => startIngestor(lesKonfig()));
