import { fingerprint, logger, startJob, type BackgroundJob } from '@tiltak/platform';
import { metrics } from '../metrics.ts';
import { InvalidRegistryError, parseKonsumenter, readRegistry, type Konsumenter } from './konsumenter.ts';
import type { OpenRequests } from './open-requests.ts';

/** A removed consumer is out within 30 s of the change of the file. */
const EVERY_MS = 5_000;

/**
 * Takes the registry of consumers into use again when its file says something else. The content decides: a mounted config
 * map is swapped by a symlink, which no watching of the file sees. A file that can't be used changes nothing.
 */
export class RegistryReload {
  private seen: string | undefined;

  constructor(
    private readonly file: string,
    private readonly konsumenter: Konsumenter,
    private readonly openRequests: OpenRequests,
  ) {}

  start(): BackgroundJob {
    return startJob({ name: 'konsumenter', everyMs: EVERY_MS, run: () => Promise.resolve(this.round()) });
  }

  round(): void {
    try {
      const text = readRegistry(this.file);
      if (!this.isNews(text)) return;
      this.konsumenter.replaceWith(parseKonsumenter(this.file, text));
    } catch (error) {
      if (!(error instanceof InvalidRegistryError)) throw error;
      metrics.registryInvalid.set(1);
      // One that can't be read says the same each time; one that is wrong is read once.
      if (error.isUnreadable && !this.isNews(error.message)) return;
      logger.error(
        { err: error },
        'The registry of consumers (KONSUMENTER_FIL) can not be used; the last one that could stays',
      );
      return;
    }
    const generation = this.seen ?? '';
    metrics.registryInvalid.set(0);
    metrics.registryGeneration.reset();
    metrics.registryGeneration.set({ generasjon: generation }, this.konsumenter.size);
    const cutOff = this.openRequests.cutOffDenied();
    logger.info(
      { generasjon: generation, konsumenter: this.konsumenter.size, avbrutt: cutOff },
      'The registry of consumers is in use',
    );
  }

  private isNews(text: string): boolean {
    const seen = fingerprint(text).toString('hex').slice(0, 12);
    if (seen === this.seen) return false;
    this.seen = seen;
    return true;
  }
}
