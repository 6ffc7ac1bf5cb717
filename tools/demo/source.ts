import { startTableSourceApi, TableSource, type TableSourceApi } from '@tiltak/simulator';
import { createTestDatabase } from '@tiltak/testing';
import type { System } from '../e2e/system.ts';
import type { Act } from './act.ts';

/** A source with a table of its own, which tells of its changes on the topic that the system reads. */
export async function sourceFor(act: Act, system: System): Promise<{ table: TableSource; api: TableSourceApi }> {
  const database = await createTestDatabase(act.stage.postgres.url);
  const table = await TableSource.open(database.url, (messages) => system.publish(messages));
  const api = await startTableSourceApi(table);
  act.ending(async () => {
    await api.stop();
    await table.close();
    await database.remove();
  });
  return { table, api };
}
