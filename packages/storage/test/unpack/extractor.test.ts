import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StorageError } from '@sediment/core';
import { afterAll, describe, expect, it } from 'vitest';
import { openInRoot, walkInRoot } from '../../src/unpack/resolveInRoot.ts';
import { EXTRACTOR_CASES, type Expected } from './extractorCases.ts';
import { sketchTree } from './treeListing.ts';
import { errorOf, NEEDS_ROOT, OVERLAY, testDirectory, unpackEntries, VFS } from './unpackHelper.ts';

const temp = testDirectory('extractor');
afterAll(() => temp.remove());
let count = 0;

const OPENERS = { openat2: openInRoot, 'component walk': walkInRoot };
const ENGINES = { overlay: OVERLAY, vfs: VFS };

describe.skipIf(NEEDS_ROOT !== undefined)(`odd and hostile layers (${NEEDS_ROOT ?? 'as root'})`, () => {
  for (const [openerName, opener] of Object.entries(OPENERS)) {
    for (const [engine, policy] of Object.entries(ENGINES)) {
      describe(`${engine}, ${openerName}`, () => {
        it.each(EXTRACTOR_CASES)('$title', ({ below = [], entries, overlay, vfs }) => {
          const { root, checkOutside } = freshRoot();
          const expected = engine === 'overlay' ? overlay : vfs;
          if (engine === 'vfs') unpackEntries(below, { root, policy, opener });
          check(root, expected, () => unpackEntries(entries, { root, policy, opener }));
          checkOutside();
        });
      });
    }
  }
});

/** A root inside directories that must not change, whatever a layer says. */
function freshRoot(): { root: string; checkOutside(): void } {
  const outside = join(temp.path, String(count++));
  const root = join(outside, 'jail', 'root');
  mkdirSync(root, { recursive: true });
  writeFileSync(join(outside, 'canary'), 'canary');
  return {
    root,
    checkOutside() {
      expect(readdirSync(outside).sort()).toEqual(['canary', 'jail']);
      expect(readdirSync(join(outside, 'jail'))).toEqual(['root']);
      expect(['/evil', '/tmp/evil', '/up', '/abs'].filter((path) => existsSync(path))).toEqual([]);
    },
  };
}

function check(root: string, expected: Expected, unpack: () => unknown): void {
  if (typeof expected.code !== 'string') {
    unpack();
    expect(sketchTree(root)).toEqual(expected);
    return;
  }
  const error = errorOf(unpack) as StorageError;
  expect(error).toBeInstanceOf(StorageError);
  expect({ code: error.code, message: error.message }).toEqual({
    code: expected.code,
    message: expect.stringContaining(expected.message ?? ''),
  });
  expect(error.message).toContain('layer 1: ');
  expect(error.facts.object).toBe('layer 1');
}
