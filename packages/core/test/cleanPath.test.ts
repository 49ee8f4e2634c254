import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanPath } from '../src/cleanPath.ts';

const clean = (path: string) => cleanPath(Buffer.from(path, 'latin1')).toString('latin1');

describe('cleanPath', () => {
  // The table of Go's path_test.go.
  it.each([
    ['', '.'],
    ['abc', 'abc'],
    ['abc/def', 'abc/def'],
    ['a/b/c', 'a/b/c'],
    ['.', '.'],
    ['..', '..'],
    ['../..', '../..'],
    ['../../abc', '../../abc'],
    ['/abc', '/abc'],
    ['/', '/'],
    ['abc/', 'abc'],
    ['abc/def/', 'abc/def'],
    ['./', '.'],
    ['../', '..'],
    ['/abc/', '/abc'],
    ['abc//def//ghi', 'abc/def/ghi'],
    ['//abc', '/abc'],
    ['///abc', '/abc'],
    ['//abc//', '/abc'],
    ['abc/./def', 'abc/def'],
    ['/./abc/def', '/abc/def'],
    ['abc/.', 'abc'],
    ['abc/def/ghi/../jkl', 'abc/def/jkl'],
    ['abc/def/../ghi/../jkl', 'abc/jkl'],
    ['abc/def/..', 'abc'],
    ['abc/def/../..', '.'],
    ['/abc/def/../..', '/'],
    ['abc/def/../../..', '..'],
    ['/abc/def/../../..', '/'],
    ['abc/def/../../../ghi/jkl/../../../mno', '../../mno'],
    ['abc/./../def', 'def'],
    ['abc//./../def', 'def'],
    ['abc/../../././../def', '../../def'],
    ['.wh.x/..y/.../z', '.wh.x/..y/.../z'],
  ])('%s → %s', (path, expected) => {
    expect(clean(path)).toBe(expected);
  });

  it('agrees with path.normalize but for trailing slashes', () => {
    const part = fc.constantFrom('', '.', '..', 'a', 'bc', '.d', 'e.', '...', '\xff');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
        const path = parts.join('/');
        const normal = posix.normalize(path);
        expect(clean(path)).toBe(normal === '/' ? '/' : normal.replace(/\/$/, ''));
      }),
    );
  });
});
