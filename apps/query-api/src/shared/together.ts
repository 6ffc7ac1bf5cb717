import { ValidateBy } from 'class-validator';

/** Two ways of saying the same: not both. */
export function NotTogetherWith(other: string): PropertyDecorator {
  return ValidateBy({
    name: 'notTogether',
    validator: {
      validate: (_, args) => (args?.object as Record<string, unknown> | undefined)?.[other] === undefined,
      defaultMessage: () => `must not be given together with ${other}`,
    },
  });
}

/** Of a list of objects: their lists of this name have at most so many elements together. */
export function SumAtMost(name: string, max: number): PropertyDecorator {
  const lengthOf = (part: unknown): number => {
    const list = (part as Record<string, unknown> | null)?.[name];
    return Array.isArray(list) ? list.length : 0;
  };
  return ValidateBy({
    name: 'sum',
    validator: {
      validate: (list: unknown) =>
        !Array.isArray(list) || list.reduce((sum: number, part: unknown) => sum + lengthOf(part), 0) <= max,
      defaultMessage: () => `must not name more than ${String(max)} in all`,
    },
  });
}
