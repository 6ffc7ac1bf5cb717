import { Act } from './act.ts';
import { printScene, printTitle } from './print.ts';
import type { Scene } from './scene.ts';
import type { SceneShown, Show } from './show.ts';
import type { Stage } from './stage.ts';

/** One after another: what one does to the machine must not be seen in the next. */
export async function playAll(stage: Stage, show: Show, scenes: readonly Scene[]): Promise<void> {
  for (const scene of scenes) {
    const shown = show.scenes.find(({ nr }) => nr === scene.nr);
    if (shown) await play(stage, scene, shown);
  }
}

async function play(stage: Stage, scene: Scene, shown: SceneShown): Promise<void> {
  shown.begun = Date.now();
  shown.state = 'PLAYING';
  printTitle(shown);
  const act = new Act(stage, shown, console.log);
  try {
    await scene.play(act);
    await act.end();
    // A scene that has seen nothing has not held.
    shown.state = shown.checks.length > 0 && shown.checks.every(({ holds }) => holds) ? 'HOLDS' : 'DOES NOT HOLD';
  } catch (error) {
    await act.end().catch(() => undefined);
    shown.state = 'STOPPED';
    shown.error = error instanceof Error ? error.message : String(error);
  }
  shown.seconds = (Date.now() - shown.begun) / 1_000;
  printScene(shown);
}
