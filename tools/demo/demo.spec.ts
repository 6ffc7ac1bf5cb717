import { readDemoOptions } from './options.ts';
import { fileOf } from './page.ts';
import { SCENES } from './scenes/scenes.ts';
import { noticed, type SceneShown, type Show } from './show.ts';

const scene: SceneShown = {
  ...{ nr: 1, name: 'A </script> scene', promise: '<b>all</b>', state: 'DOES NOT HOLD', begun: 0, seconds: 1 },
  ...{ steps: [], figures: [], lines: [], mustFall: ['first'] },
  checks: [
    { claim: 'first', holds: false, seen: '' },
    { claim: 'second', holds: true, seen: '' },
  ],
};

test('a planted fault is noticed only by the claim that it makes untrue, in a scene that came to its end', () => {
  expect(noticed(scene)).toBe(true);
  expect(noticed({ ...scene, mustFall: ['second'] })).toBe(false);
  expect(noticed({ ...scene, mustFall: ['third'] })).toBe(false);
  expect(noticed({ ...scene, mustFall: [] })).toBe(false);
  expect(noticed({ ...scene, state: 'STOPPED' })).toBe(false);
});

test('the file holds all that it is made of, and nothing in it is read as markup', () => {
  const show: Show = {
    ...{ begun: 0, brief: true, broken: false, version: '1', machine: '', done: true },
    scenes: [scene],
  };
  const file = fileOf(show);
  // Namespaces are names, and nothing is fetched from them.
  expect(file.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(
    /(src|href)=|@import|url\((?!data:)|https?:\/\/(?!127)/,
  );
  const data = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(file)?.[1] ?? '';
  expect(JSON.parse(data)).toEqual(show);
});

test('scenes are chosen by number, and one that there is not is refused', () => {
  const known = SCENES.map(({ nr }) => nr);
  expect(new Set(known).size).toBe(known.length);
  expect(readDemoOptions([], known, '/x')).toMatchObject({ scenes: known, brief: false, file: '/x/.local/demo.html' });
  expect(readDemoOptions(['--scene', '9,8', '--fort'], known, '/x')).toMatchObject({ scenes: [9, 8], brief: true });
  for (const args of [['--scene', '11'], ['--scene', 'a'], ['--port', '-1'], ['--annet']])
    expect(() => readDemoOptions(args, known, '/x')).toThrow(/--/);
});
