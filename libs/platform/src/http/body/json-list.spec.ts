import fc from 'fast-check';
import { JsonList } from './json-list.ts';
import { JsonScanner, type JsonLimits } from './json-scanner.ts';

const LIMITS: JsonLimits = { depth: 32, values: 1_000, members: 100, list: { name: 'ressurser', entries: 50 } };

/** Scanned in parts of those sizes, again and again. */
function scan(text: string, sizes: readonly number[], limits = LIMITS): JsonScanner {
  const bytes = Buffer.from(text);
  const scanner = new JsonScanner(limits);
  for (let end = 0, i = 0; end < bytes.length; i++) {
    end = Math.min(bytes.length, end + (sizes[i % sizes.length] ?? 1));
    scanner.scan(bytes, end);
  }
  return scanner;
}

const anyJson = fc.jsonValue({ maxDepth: 5 });
const anySizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
const anyIndent = fc.constantFrom('', ' ', '\t', '\n  ');

test('whatever a list holds, and however it comes, its entries are those that are parsed', () => {
  fc.assert(
    fc.property(
      fc.array(anyJson, { maxLength: 20 }),
      anyJson,
      anySizes,
      anyIndent,
      (resources, metadata, sizes, indent) => {
        const text = JSON.stringify({ metadata, ressurser: resources, etter: metadata }, null, indent);
        const { list } = scan(text, sizes);
        const { ressurser: parsed } = JSON.parse(text) as { ressurser: unknown[] };
        expect(list && Array.from(new JsonList(Buffer.from(text), list).entries(), ([, entry]) => entry)).toEqual(
          parsed,
        );
        expect(list && new JsonList(Buffer.from(text), list).length).toBe(parsed.length);
      },
    ),
  );
});

test('whatever is within the limits passes, and one level or member more does not', () => {
  const passes = (text: string, limits: JsonLimits): boolean => {
    try {
      scan(text, [7], limits);
      return true;
    } catch {
      return false;
    }
  };
  fc.assert(
    fc.property(anyJson, anyIndent, (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const { depth, values, members } = measure(value);
      expect(passes(text, { depth, values, members: Math.max(members, 1) })).toBe(true);
      if (values > 0) expect(passes(text, { depth, values: values - 1, members: Math.max(members, 1) })).toBe(false);
      if (depth > 0) expect(passes(text, { depth: depth - 1, values, members })).toBe(false);
      if (members > 1) expect(passes(text, { depth, values, members: members - 1 })).toBe(false);
    }),
    // A list whose parts are themselves lists or objects counts each twice, and they are few among random values.
    { numRuns: 1_000, examples: [[[[], {}], '']] },
  );
});

/** Of a value: how deep, how many objects, lists and commas, and the most members of one object. */
function measure(value: unknown): { depth: number; values: number; members: number } {
  if (typeof value !== 'object' || value === null) return { depth: 0, values: 0, members: 0 };
  const parts = Object.values(value).map(measure);
  return {
    depth: 1 + Math.max(0, ...parts.map(({ depth }) => depth)),
    values: Math.max(1, parts.length) + parts.reduce((sum, { values }) => sum + values, 0),
    members: Math.max(Array.isArray(value) ? 0 : parts.length, ...parts.map(({ members }) => members)),
  };
}
