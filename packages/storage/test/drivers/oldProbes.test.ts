import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeOldProbes } from '../../src/drivers/overlay/oldProbes.ts';

describe('what probes of overlay left', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'sediment-probes-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const make = (name: string, { old }: { old: boolean }): void => {
    mkdirSync(join(home, name, 'upper'), { recursive: true });
    writeFileSync(join(home, name, 'upper/file'), '');
    if (old) utimesSync(join(home, name), 0, 0);
  };

  it('goes when it is old, whoever made it', () => {
    for (const name of ['compat1234567', 'idmap-checkAbCd12', 'metacopy-check99']) make(name, { old: true });
    removeOldProbes(home);
    expect(readdirSync(home)).toEqual([]);
  });

  it('stays while the probe may be running, and so does all else', () => {
    make('volatile-check123456', { old: false });
    for (const name of ['a'.repeat(64), 'l', 'tempdirs', 'compat-notes']) make(name, { old: true });
    removeOldProbes(home);
    expect(readdirSync(home)).toHaveLength(5);
  });
});
