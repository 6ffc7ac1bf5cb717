import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';

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
