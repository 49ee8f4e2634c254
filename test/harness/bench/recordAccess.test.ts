import { describe, expect, it } from 'vitest';
import { countRecordAccess } from '../../../scripts/bench/evidence/recordAccess.js';

const TRACE = `12 openat(AT_FDCWD, "/g/overlay-layers/layers.json", O_RDONLY|O_CLOEXEC) = 20
13 openat(AT_FDCWD, "/g/overlay-layers/layers.json", O_RDONLY|O_CLOEXEC <unfinished ...>
12 openat(AT_FDCWD, "/g/overlay-layers/layers.lock", O_RDWR|O_CREAT, 0644) = 21
13 <... openat resumed>) = 22
12 openat(AT_FDCWD, "/g/overlay-layers/layers.json", O_RDONLY) = -1 ENOENT (No such file or directory)
12 openat(AT_FDCWD, "/g/overlay-layers/volatile-layers.json", O_RDONLY) = 23
12 openat(AT_FDCWD, "/g/overlay-layers/.tmp-layers.json1", O_WRONLY|O_CREAT, 0600) = 24
12 rename("/g/overlay-layers/.tmp-layers.json1", "/g/overlay-layers/layers.json") = 0
12 rename("/g/overlay-layers/layers.json", "/g/old") = 0
+++ exited with 0 +++
`;

describe('countRecordAccess', () => {
  it('counts opening and replacing, whole or in two parts, when it succeeded', () => {
    expect(countRecordAccess(TRACE, '/overlay-layers/layers.json')).toEqual({ reads: 2, writes: 1 });
  });

  it('counts nothing of other files', () => {
    expect(countRecordAccess(TRACE, '/overlay-images/images.json')).toEqual({ reads: 0, writes: 0 });
  });
});
