import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fingerprint } from '../support/hostStoreGuard.ts';
import { makeScratchDirectory, removeScratchDirectory } from '../support/storeRoot.ts';

it('changes its fingerprint with any change below', () => {
  const root = makeScratchDirectory('guard');
  try {
    mkdirSync(join(root, 'overlay'));
    writeFileSync(join(root, 'overlay/file'), '');
    const before = fingerprint(root);
    expect(fingerprint(root)).toBe(before);
    chmodSync(join(root, 'overlay/file'), 0o600);
    expect(fingerprint(root)).not.toBe(before);
  } finally {
    removeScratchDirectory(root);
  }
});

it('has a fingerprint for a store that is not there', () => {
  expect(fingerprint('/no/such/store')).toBe(fingerprint('/no/other/store'));
});
