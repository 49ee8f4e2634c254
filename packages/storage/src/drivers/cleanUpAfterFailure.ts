import type { WarningHandler } from '@sediment/core';

/**
 * Takes back what a failed operation has made so far. If that fails as well it is a warning: the error
 * that the caller is about to throw matters more.
 */
export function cleanUpAfterFailure(path: string, onWarning: WarningHandler, cleanUp: () => void): void {
  try {
    cleanUp();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    onWarning({ code: 'DEBRIS_LEFT', message: `${path} could not be removed again: ${why}`, path });
  }
}
