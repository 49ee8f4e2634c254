import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { peerDefect } from '../../scripts/lib/peerPrograms.js';
import { makeScratchDirectory, removeScratchDirectory } from '../support/storeRoot.ts';

const scratch: string[] = [];
function scratchDirectory(): string {
  const path = makeScratchDirectory('harness');
  scratch.push(path);
  return path;
}
afterEach(() => {
  for (const path of scratch.splice(0)) removeScratchDirectory(path);
});

describe('peerDefect', () => {
  it('accepts a machine program', () => {
    expect(peerDefect(process.execPath)).toBeUndefined();
  });

  it('refuses a script', () => {
    const script = join(scratchDirectory(), 'podman');
    writeFileSync(script, '#!/bin/sh\n', { mode: 0o755 });
    expect(peerDefect(script)).toMatch(/is no ELF program/);
  });

  it('refuses a program inside of the checkout, by a link too', () => {
    const directory = scratchDirectory();
    const checkout = join(directory, 'checkout');
    mkdirSync(checkout);
    copyFileSync('/bin/true', join(checkout, 'podman'));
    symlinkSync(join(checkout, 'podman'), join(directory, 'podman'));
    expect(peerDefect(join(checkout, 'podman'), checkout)).toMatch(/lies inside of this checkout/);
    expect(peerDefect(join(directory, 'podman'), checkout)).toMatch(/lies inside of this checkout/);
  });

  it('refuses a file that is not there', () => {
    expect(peerDefect('/usr/bin/no-such-peer')).toMatch(/cannot be opened \(ENOENT\)/);
  });
});
