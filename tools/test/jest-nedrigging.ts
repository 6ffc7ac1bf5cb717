async function stopp(): Promise<void> {
  const { kafka, postgres, rydd } = globalThis.testStack ?? {};
  // Nothing in them is kept: they need not end in order.
  await Promise.all([kafka?.drep(), postgres?.prosess().stopp(5_000, 'SIGINT')]);
  rydd?.();
}

// Jest demands a default export.
export { stopp as default };
