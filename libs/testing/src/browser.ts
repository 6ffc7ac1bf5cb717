import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const MISSING = 'no Chromium: install the package chromium, or set CHROMIUM_PATH';

function findBrowser(): string | undefined {
  return [process.env['CHROMIUM_PATH'] ?? '', ...PLACES].find((path) => existsSync(path));
}

/**
 * `describe` or `test` for what needs a browser. Without one it is skipped, under a title that says why and how to get one:
 * the end of the test run shows the titles of what it skipped.
 */
export function needsBrowser<B>(block: Block<B> & { skip: Block<B> }): Block<B> {
  if (findBrowser() !== undefined) return block;
  return (title, body, timeoutMs) => block.skip(`${title} (${MISSING})`, body, timeoutMs);
}

type Block<B> = (title: string, body: B, timeoutMs?: number) => void;

/**
 * A headless Chromium that asks nobody but the pages it is sent to.
 *
 * @throws when there is no browser, see `needsBrowser`
 */
export async function startBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error(MISSING);
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

interface Fault {
  id: string;
  impact: string;
  nodes: { target: string[] }[];
}

const TRANSITIONS_END =
  'Promise.all(document.getAnimations().filter((one) => one instanceof CSSTransition).map(({ finished }) => finished.catch(() => 0))).then(() => 0)';

/**
 * What axe finds on a page that keeps somebody from using it (serious and critical), as one line for each rule. It is run
 * beside the page's own scripts, which the page's policy would not let in.
 */
export async function seriousFaults(page: Page): Promise<string[]> {
  const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const session = await page.context().newCDPSession(page);
  const evaluate = async (expression: string): Promise<unknown> => {
    const { result } = await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    return result.value;
  };
  await evaluate(source);
  // A colour on its way to another is neither.
  await evaluate(TRANSITIONS_END);
  const found = await evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)",
  );
  await session.detach();
  return (found as Fault[])
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}
