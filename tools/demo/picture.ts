import { pathToFileURL } from 'node:url';
import { startBrowser } from '@tiltak/testing';

const SIZE = { width: 1_280, height: 800 };

/** The first screen of the file, as a browser shows it. */
export async function savePicture(file: string, picture: string): Promise<void> {
  const browser = await startBrowser();
  try {
    const page = await browser.newPage({ viewport: SIZE, colorScheme: 'light' });
    await page.goto(pathToFileURL(file).href);
    await page.screenshot({ path: picture });
  } finally {
    await browser.close();
  }
}
