import { canBeHidden, LIMIT } from './suppression.ts';

/** The value of each dimension; null: not given. */
export type Values = readonly (string | null)[];

/** A group as it is at the moment, none of it empty. */
export interface Group {
  values: Values;
  avtaler: number;
  /** different participants */
  deltakere: number;
  /** participants, and one for each avtale that names none: as many as it may be about */
  persons: number;
}

/** What is told of a group. */
export interface Figure {
  values: Values;
  avtaler: number;
  /** null: not told */
  deltakere: number | null;
  /** false: held back, with the size that it had when it was decided */
  visible: boolean;
}

/** A table as it is told, by `keyOf` the values. */
export type Table = ReadonlyMap<string, Figure>;

export function keyOf(values: Values): string {
  return JSON.stringify(values);
}

/** What is told already, which the table to come must not add to. */
export interface Told {
  /** by which dimension they lack: what the lines of the table add up to */
  parents: readonly Table[];
  /** the same table, of the moment before */
  previous?: Table | undefined;
  /** the same table, of the month after */
  later?: Table | undefined;
}

/** Kept: what is told of it says nothing new. */
type State = 'KEPT' | 'FRESH' | 'HELD_BACK' | 'HIDDEN';

interface Cell {
  group: Group;
  key: string;
  state: State;
  figure: Figure | undefined;
  lines: Line[];
}

/** The groups that differ in one dimension only, and add up to a figure that is told. */
interface Line {
  cells: Cell[];
}

/**
 * Decides what is told of the groups of one division.
 *
 * - A figure that was told stays, until the true one differs from it by the limit or more.
 * - One that is new or has changed so much is told as it is, when it is of the limit or more and what its lines add up to
 *   does not give away a smaller one. Else it is held back, and then stays so for as long as a figure would stay.
 * - What lies in a group that is not told of is not told of.
 */
export function publish(groups: readonly Group[], told: Told): Map<string, Figure> {
  const cells = groups.map((group) => decide(group, told));
  const lines = connect(cells, told.parents);
  hideComplements(lines);
  if (told.parents.length === 2) hideUntilInterchangeable(cells);
  const table = new Map<string, Figure>();
  for (const cell of cells) {
    const figure = figureOf(cell, told);
    if (figure) table.set(cell.key, figure);
  }
  return table;
}

/** The keys of a group's parents, by which dimension they lack. */
function parentKeys(values: Values): string[] {
  return values.map((_, i) => keyOf(values.filter((__, j) => j !== i)));
}

function decide(group: Group, { parents, previous, later }: Told): Cell {
  const key = keyOf(group.values);
  const within = parentKeys(group.values).every((parent, i) => parents[i]?.get(parent)?.visible === true);
  const before = previous?.get(key);
  const large = group.avtaler >= LIMIT && group.persons >= LIMIT;
  const state = (): State => {
    if (!within) return 'HIDDEN';
    if (before && before.visible && (isNear(group.avtaler, before.avtaler) || keepsDeltakere(group, before)))
      return group.avtaler >= LIMIT || isNear(group.avtaler, before.avtaler) ? 'KEPT' : 'HIDDEN';
    if (before && !before.visible && isNear(group.avtaler, before.avtaler)) return 'HELD_BACK';
    if (!large) return 'HIDDEN';
    const after = later?.get(key);
    if (!after || !isNear(group.avtaler, after.avtaler)) return 'FRESH';
    return after.visible ? 'KEPT' : 'HELD_BACK';
  };
  return { group, key, state: state(), figure: before, lines: [] };
}

function isNear(size: number, figure: number | null | undefined): boolean {
  return typeof figure === 'number' && Math.abs(size - figure) < LIMIT;
}

function keepsDeltakere({ deltakere }: Group, before: Figure): boolean {
  return isNear(deltakere, before.deltakere);
}

/** Lines that add up to nothing that is told are none: there is nothing to subtract from. */
function connect(cells: readonly Cell[], parents: readonly Table[]): Line[] {
  const lines = new Map<string, Line>();
  for (const cell of cells) {
    for (const [i, parent] of parentKeys(cell.group.values).entries()) {
      if (parents[i]?.get(parent)?.visible !== true) continue;
      const name = `${String(i)} ${parent}`;
      const line = lines.get(name) ?? { cells: [] };
      lines.set(name, line);
      line.cells.push(cell);
      cell.lines.push(line);
    }
  }
  return [...lines.values()];
}

const isShown = ({ state }: Cell): boolean => state === 'KEPT' || state === 'FRESH';

/** In each line, the smallest go with those that are too small, until what they are together leaves each open. */
function hideComplements(lines: readonly Line[]): void {
  const waiting = new Set(lines);
  for (const line of waiting) {
    waiting.delete(line);
    while (!isSafe(line)) {
      const smallest = smallestFresh(line.cells);
      if (!smallest) break;
      smallest.state = 'HELD_BACK';
      for (const other of smallest.lines) if (other !== line) waiting.add(other);
    }
  }
}

/** Of avtaler and of participants. What was told before is never held back: what it was is known. */
function isSafe({ cells }: Line): boolean {
  return (['avtaler', 'deltakere'] as const).every((unit) => {
    const sizes = (shown: boolean): number[] =>
      cells.flatMap((cell) => (isShown(cell) === shown && cell.group[unit] > 0 ? cell.group[unit] : []));
    return canBeHidden(
      sizes(false),
      sizes(true).reduce((least, size) => Math.min(least, size), Infinity),
    );
  });
}

function smallestFresh(cells: readonly Cell[]): Cell | undefined {
  return cells
    .filter(({ state }) => state === 'FRESH')
    .reduce<Cell | undefined>((least, cell) => (least && bySize(least, cell) <= 0 ? least : cell), undefined);
}

function bySize(a: Cell, b: Cell): number {
  return a.group.avtaler - b.group.avtaler || (a.key > b.key ? -1 : 1);
}

/**
 * Rows and columns can be safe one by one, and a system of them still have one solution for a group. It has several when
 * the group can change places with another: one of its avtaler goes to the other's column and one of the other's comes
 * to its own, and nothing that is told is any different.
 */
function hideUntilInterchangeable(cells: readonly Cell[]): void {
  const shown = new Set(cells.filter(isShown).map(({ key }) => key));
  const isOpen = ([row = null]: Values, [, column = null]: Values): boolean => !shown.has(keyOf([row, column]));
  const canChange = (small: Cell): boolean =>
    cells.some(({ state, group: { values } }) => {
      if (state !== 'HIDDEN' && state !== 'HELD_BACK') return false;
      const own = small.group.values;
      if (values[0] === own[0] || values[1] === own[1]) return false;
      return isOpen(own, values) && isOpen(values, own);
    });
  for (const small of cells.filter(isSmall)) {
    while (small.lines.length === 2 && !isShown(small) && !canChange(small)) {
      const smallest = smallestFresh(small.lines.flatMap((line) => line.cells));
      if (!smallest) break;
      smallest.state = 'HELD_BACK';
      hideComplements(smallest.lines);
      for (const cell of cells) if (!isShown(cell)) shown.delete(cell.key);
    }
  }
}

function isSmall({ group: { avtaler, persons } }: Cell): boolean {
  return avtaler < LIMIT || persons < LIMIT;
}

function figureOf(cell: Cell, { later }: Told): Figure | undefined {
  const { group, state, figure: before, key } = cell;
  const { values, avtaler } = group;
  if (state === 'HIDDEN') return undefined;
  if (state === 'HELD_BACK')
    return before?.visible === false && isNear(avtaler, before.avtaler)
      ? before
      : { values, avtaler, deltakere: null, visible: false };
  const next = later?.get(key);
  const after = next?.visible ? next : undefined;
  const kept = state === 'KEPT' ? before : undefined;
  const keptAvtaler = isNear(avtaler, kept?.avtaler) ? kept?.avtaler : undefined;
  const deltakere = deltakereOf(group, kept, [after?.deltakere, keptAvtaler]);
  return { values, avtaler: keptAvtaler ?? close(avtaler, [after?.avtaler, deltakere]), deltakere, visible: true };
}

function deltakereOf(
  { deltakere }: Group,
  kept: Figure | undefined,
  told: readonly (number | null | undefined)[],
): number | null {
  if (kept && isNear(deltakere, kept.deltakere)) return kept.deltakere;
  return deltakere < LIMIT ? null : close(deltakere, told);
}

/**
 * The size, or what is told already of the same group when that is close: of the month after, or of participants. What
 * is less than the limit apart is told as the same, since the difference is a small group of its own.
 */
function close(size: number, told: readonly (number | null | undefined)[]): number {
  return told.find((figure) => isNear(size, figure)) ?? size;
}
