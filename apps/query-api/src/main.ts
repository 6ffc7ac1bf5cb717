import 'reflect-metadata';
import { kjorApp } from '@tiltak/platform';
import { lesKonfig } from './config.ts';
import { startQueryApi } from './query-api.ts';

void kjorApp(() => startQueryApi(lesKonfig()));
