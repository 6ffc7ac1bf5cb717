async function stop(): Promise<void> {
  const { kafka, postgres, clean } = globalThis.testStack ?? {};
  // Nothing in them is kept: they need not end in order.
  await Promise.all([kafka?.kill(), postgres?.proc().stop(5_000, 'SIGINT')]);
  clean?.();
}

// Jest demands a default export.
export { stop as default };
