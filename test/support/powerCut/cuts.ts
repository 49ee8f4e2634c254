import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { RandomNumbers } from '../randomNumbers.ts';
import { type LoggedDisk, sparseCopy } from './loggedDisk.ts';
import type { DiskEvent } from './writeLog.ts';

const SECTOR = 512;

/** A moment at which the power goes, and what becomes of the writes that the disk's cache still held then. */
export interface Cut {
  /** How many events came before it. */
  readonly events: number;
  /**
   * Of writes since the last flush, by their index: how many sectors of each reach the disk. Those that are not
   * named reach it whole.
   */
  readonly sectors: ReadonlyMap<number, number>;
  readonly title: string;
}

/** The power goes at the end of these events, and the disk has no cache, or saves it. */
export function plainCut(events: number): Cut {
  return { events, sectors: new Map(), title: `after ${events} events, in order` };
}

/** As a {@link plainCut}, but each write since the last flush is done, lost, or done in part, as chance will have it. */
export function shuffledCut(log: readonly DiskEvent[], events: number, random: RandomNumbers): Cut {
  const sectors = new Map<number, number>();
  for (let index = events - 1; index >= 0; index--) {
    const event = log[index] as DiskEvent;
    if (event.kind === 'flush') break;
    const fate = random(4);
    if (fate === 0) sectors.set(index, random(event.length / SECTOR));
    else if (fate === 1) sectors.set(index, 0);
  }
  const title = `after ${events} events, with ${sectors.size} of the last writes lost or torn`;
  return { events, sectors, title };
}

/** Makes the image that is found when the power is back. */
export function imageAfter(disk: LoggedDisk, log: readonly DiskEvent[], cut: Cut, image: string): void {
  sparseCopy(disk.base, image);
  const [from, to] = [openSync(disk.log, 'r'), openSync(image, 'r+')];
  try {
    for (const [index, event] of log.slice(0, cut.events).entries()) {
      if (event.kind === 'flush') continue;
      const length = (cut.sectors.get(index) ?? event.length / SECTOR) * SECTOR;
      const bytes = Buffer.alloc(length);
      readSync(from, bytes, 0, length, event.at);
      writeSync(to, bytes, 0, length, event.offset);
    }
  } finally {
    closeSync(from);
    closeSync(to);
  }
}
