import { SharedMemory } from './shared-memory.ts';

test('one has three quarters at most, the others the rest, and what is given back is there again', () => {
  const memory = new SharedMemory(100);
  expect([memory.take('a', 50), memory.take('a', 30), memory.take('a', 25)]).toEqual([true, false, true]);
  expect([memory.take('b', 30), memory.take('b', 25), memory.take('c', 1)]).toEqual([false, true, false]);
  memory.giveBack('a', 50);
  expect([memory.take('c', 51), memory.take('c', 50)]).toEqual([false, true]);
});

test('who holds nothing, while nobody does, gets what there is', () => {
  const memory = new SharedMemory(100);
  expect([memory.take('a', 200), memory.take('b', 1)]).toEqual([true, false]);
  memory.giveBack('a', 200);
  expect(memory.take('b', 1)).toBe(true);
});
