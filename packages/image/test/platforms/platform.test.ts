import { describe, expect, it } from 'vitest';
import { formatPlatform, hostPlatform, parsePlatform } from '../../src/platforms/platform.ts';
import { wantedPlatforms } from '../../src/platforms/wantedPlatforms.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

describe('platforms', () => {
  it.each(['linux/amd64', 'linux/arm/v7', 'windows/amd64', 'linux/ppc64le'])(
    '%s is read and printed',
    (text) => {
      expect(formatPlatform(parsePlatform(text))).toBe(text);
    },
  );

  it.each(['', 'linux', 'linux/', '/amd64', 'linux/arm/v7/x', 'linux/arm/', 'lin ux/arm'])(
    '%j is refused',
    async (text) => {
      const error = await storageErrorOf(() => parsePlatform(text));
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', facts: { object: text } });
      expect(error.hint).toContain('linux/arm64');
    },
  );

  it('names this host in the words of Go', () => {
    const { os, architecture } = hostPlatform();
    expect(os).toBe(process.platform === 'win32' ? 'windows' : process.platform);
    expect(architecture).not.toMatch(/^(?:x64|ia32|ppc64)$/);
  });
});

describe('wanted platforms', () => {
  it.each([
    ['linux/amd64', ['linux/amd64']],
    ['linux/amd64/v2', ['linux/amd64/v2', 'linux/amd64']],
    ['linux/arm/v7', ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5', 'linux/arm']],
    ['linux/arm', ['linux/arm', 'linux/arm/v8', 'linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm64/v8', ['linux/arm64/v8', 'linux/arm64']],
    ['linux/arm64', ['linux/arm64', 'linux/arm64/v8']],
    ['linux/arm/v9', ['linux/arm/v9', 'linux/arm']],
  ])('of %s, best first', (text, expected) => {
    expect(wantedPlatforms(parsePlatform(text)).map(formatPlatform)).toEqual(expected);
  });
});
