/**
 * All advisory locks of a database, in the order in which a transaction may take them: whoever holds one takes none
 * that stands above it. Each is the SQL of its number; the numbers stay, since versions that run side by side share them.
 * No two may be one number, or two things would wait for each other that have nothing in common: `locks.spec.ts` holds that,
 * and that none is taken that is not from here.
 */
export const LOCKS = {
  /** session; migration jobs that run together take turns */
  MIGRATION: '7220316',
  /** session, tried; one reconciliation at a time */
  AVSTEMMING: `hashtext('tiltak-datadeling avstemming')`,
  /** session, tried; the figures of statistics are made by one ingestor at a time */
  STATISTICS: `hashtext('tiltak-datadeling statistikk')`,
  /** session, tried; the relations are checked by one ingestor at a time after a change of version */
  RELASJONSKONTROLL: `hashtext('tiltak-datadeling relasjonskontroll')`,
  /** transaction, tried, alone; which virksomheter are missing is noted by one ingestor at a time */
  MISSING_VIRKSOMHETER: `hashtext('tiltak-datadeling manglende virksomheter')`,
  /** transaction, tried, alone; what rebuilds that are over have seen is deleted by one ingestor at a time */
  SEEN: `hashtext('tiltak-datadeling gjenoppbygging sett')`,
  /** session, tried; the change feed is told of on the trigger topic by one ingestor at a time */
  TRIGGER: `hashtext('tiltak-datadeling trigger')`,
  /** transaction, tried, alone, by the schema; what consumers have used is summed up by one at a time */
  USAGE: `hashtext('tiltak-datadeling konsumentbruk')`,
  /** transaction, in the database of a product's table, which has no other; it is brought up to now by one run at a time */
  ANALYSIS_TABLE: `hashtext('analyse')`,
  /** transaction; as `publishingLock` of avtaler */
  PUBLISHING: `hashtext('tiltak:publisering')`,
  /** transaction; one new sync at a time */
  NEW_SYNC: `hashtext('tiltak:ny-synk')`,
  /**
   * transaction; as `resourceLock` of virksomheter, and so before the position. Held exclusively by whoever
   * writes virksomheter, and finds the top of their chains; shared by who changes what subscriptions by hovedenhet are of,
   * or removes subscriptions. Before that of persons: all that is written in the organisation may wait behind who has that one
   */
  HIERARCHY: '7220324',
  /**
   * transaction; after the position. Held shared by whoever writes avtaler, and exclusively while it changes which idents
   * are one person's, so that every avtale follows its person, also one that is being written
   */
  PERSONS: '7220319',
  /** transaction; the first of two numbers, the second is of the consumer whose subscriptions are changed */
  SUBSCRIPTIONS: '7220320',
  /**
   * transaction; held shared by whoever writes avtaler or the change feed, and by who makes a subscription; exclusively
   * while it is decided whether what is written is written down for subscriptions. That one holds no other, and gives up
   * at once when it has to wait, so that it may be taken anywhere
   */
  FOLLOWED: '7220321',
  /** transaction; partitions are made and dropped by one at a time. Before any lock on a table, and gives up soon */
  PARTITIONS: '7220322',
  /**
   * transaction; the first of two numbers, the second is one of 1,024 that a participant's id gives: ascending. Held shared
   * by whoever holds the participant's own, and exclusively by who has too many participants for that
   */
  DELTAKERE: '7220318',
  /** transaction; the first of two numbers, the second is a participant's, 32 bits of its id: ascending */
  DELTAKER: '7220323',
} as const;

/**
 * transaction; held shared by whoever publishes an adapter's page, and exclusively while a full sync deletes, so that no
 * change comes to lie between the look at what is stored and the tombstones. One of each resource: whoever publishes one
 * waits for none that publishes another. In the order where `LOCKS.PUBLISHING` stands
 */
export function publishingLock(resource: string): string {
  return resource === 'avtaler' ? LOCKS.PUBLISHING : `hashtext('tiltak:publisering:${resource}')`;
}

/** transaction; held by whoever writes a resource, see `ResourceWriter`. In the order where `LOCKS.HIERARCHY` stands */
export function resourceLock(table: string): string {
  return table === 'virksomhet' ? LOCKS.HIERARCHY : `hashtext('tiltak-datadeling ressurs ${table}')`;
}

/**
 * transaction, tried, for as long as a run writes products for analysis in a directory: one of these numbers by chance. All
 * others are of 32 bits.
 */
export const DIRECTORY_LOCKS = { first: 2 ** 33, count: 2 ** 46 } as const;
