import 'reflect-metadata';
import { runApp } from '@tiltak/platform';
import { readDatabaseConfig, readConfig } from './config.ts';
import { createIngestor, printOpenApi, startIngestor } from './ingestor.ts';
import { relationsCommand } from './relations/check.ts';

if (process.argv[2] === 'relasjoner') void relationsCommand(readDatabaseConfig, process.argv.slice(3));
else if (process.argv[2] === 'openapi') void printOpenApi();
else void runApp(() => startIngestor(createIngestor(readConfig())));
