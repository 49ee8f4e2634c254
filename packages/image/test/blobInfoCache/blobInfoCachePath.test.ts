import { describe, expect, it } from 'vitest';
import { blobInfoCachePath } from '../../src/blobInfoCache/blobInfoCachePath.ts';

const FILE = 'blob-info-cache-v1.sqlite';

describe('blobInfoCachePath', () => {
  it.each([
    ['root', 0, { HOME: '/root', XDG_DATA_HOME: '/data' }, `/var/lib/containers/cache/${FILE}`],
    ['a user', 1000, { HOME: '/home/u' }, `/home/u/.local/share/containers/cache/${FILE}`],
    [
      'a user with a data directory',
      1000,
      { HOME: '/home/u', XDG_DATA_HOME: '/data' },
      `/data/containers/cache/${FILE}`,
    ],
    [
      'a user in a namespace of their own',
      0,
      { HOME: '/home/u', _CONTAINERS_ROOTLESS_UID: '1000' },
      `/home/u/.local/share/containers/cache/${FILE}`,
    ],
    ['a user without a home', 1000, { HOME: '' }, undefined],
  ])('of %s', (_, uid, env, path) => {
    expect(blobInfoCachePath({ uid, env })).toBe(path);
  });
});
