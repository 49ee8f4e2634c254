import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { titled } from '../support/hostAbility.ts';
import { type Cut, imageAfter, plainCut, shuffledCut } from '../support/powerCut/cuts.ts';
import {
  type DiskFileSystem,
  makeFileSystem,
  mountImage,
  powerCutSkipReason,
  unmountAll,
} from '../support/powerCut/fileSystems.ts';
import { type LoggedDisk, startLoggedDisk } from '../support/powerCut/loggedDisk.ts';
import type { DiskEvent } from '../support/powerCut/writeLog.ts';
import { randomNumbers } from '../support/randomNumbers.ts';
import { makeScratchDirectory, removeScratchDirectory } from '../support/storeRoot.ts';

const CONTENT = Buffer.alloc(100_000, 'content ');

describe('a cut', () => {
  const write = (offset: number): DiskEvent => ({ kind: 'write', offset, length: 4096, at: 0, end: 0 });
  const flush: DiskEvent = { kind: 'flush', end: 0 };
  const log = [
    write(0),
    flush,
    ...Array.from({ length: 40 }, (_, index) => write(index * 4096)),
    flush,
    write(0),
  ];

  it('loses and tears writes of before the moment alone, and none that were flushed', () => {
    const random = randomNumbers(1);
    for (let events = 1; events <= log.length; events++) {
      const { sectors } = shuffledCut(log, events, random);
      const flushed = log.slice(0, events).findLastIndex(({ kind }) => kind === 'flush');
      for (const [index, count] of sectors) {
        expect(index).toBeGreaterThan(flushed);
        expect(index).toBeLessThan(events);
        expect(count).toBeLessThan(8);
      }
    }
    expect(shuffledCut(log, 42, random).sectors.size).toBeGreaterThan(5);
  });
});

describe.each<DiskFileSystem>(['ext4', 'xfs', 'btrfs'])('a disk whose power is cut, %s', (fileSystem) => {
  const skipReason = powerCutSkipReason(fileSystem);
  let directory: string;
  let place: string;
  let disk: LoggedDisk;
  beforeEach(async () => {
    if (skipReason !== undefined) return;
    directory = makeScratchDirectory('disk');
    place = join(directory, 'mounted');
    mkdirSync(place);
    const image = join(directory, 'disk.img');
    makeFileSystem(fileSystem, image);
    disk = await startLoggedDisk(directory, image);
    mountImage(fileSystem, disk.file, place);
  });
  afterEach(() => {
    if (skipReason === undefined) removeScratchDirectory(directory);
  });

  const make = (name: string, { sync }: { sync: boolean }): void => {
    const fd = openSync(join(place, name), 'wx');
    writeFileSync(fd, CONTENT);
    if (sync) fsyncSync(fd);
    closeSync(fd);
  };
  const syncDirectory = (): void => {
    const fd = openSync(place, 'r');
    fsyncSync(fd);
    closeSync(fd);
  };
  /** Whether a file is there, and whole, after the power was cut. */
  const found = (log: readonly DiskEvent[], cut: Cut, name: string): 'nothing' | 'part' | 'all' => {
    const image = join(directory, 'cut.img');
    imageAfter(disk, log, cut, image);
    mountImage(fileSystem, image, place);
    const path = join(place, name);
    const content = existsSync(path) ? readFileSync(path) : undefined;
    unmountAll(place);
    rmSync(image);
    if (content === undefined) return 'nothing';
    return content.equals(CONTENT) ? 'all' : 'part';
  };

  it.skipIf(skipReason)(titled('keeps what was synced, and loses what was not', skipReason), async () => {
    make('synced', { sync: true });
    syncDirectory();
    make('not synced', { sync: false });
    const end = disk.position();
    unmountAll(place);
    const log = await disk.end();
    const events = log.filter((event) => event.end <= end).length;
    expect(found(log, plainCut(events), 'synced')).toBe('all');
    expect(found(log, plainCut(events), 'not synced')).not.toBe('all');
    expect(found(log, shuffledCut(log, events, randomNumbers(1)), 'synced')).toBe('all');
    expect(found(log, plainCut(1), 'synced')).not.toBe('all');
    expect(found(log, plainCut(log.length), 'not synced')).toBe('all');
  });
});
