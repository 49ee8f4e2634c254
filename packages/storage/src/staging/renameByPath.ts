import { renameSync } from 'node:fs';
import { errnoCode } from '@sediment/core';

const TRIES = 10;

/**
 * Renames with full paths on both sides. When another program mounts the driver home on itself between
 * the kernel's two look-ups, the paths lie on different mounts for that moment (EXDEV): then again.
 */
export function renameByPath(from: string, to: string): void {
  for (let tries = 1; ; tries++) {
    try {
      renameSync(from, to);
      return;
    } catch (error) {
      if (errnoCode(error) !== 'EXDEV' || tries === TRIES) throw error;
    }
  }
}
