import { digestOf, type Platform } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import type { ManifestDescriptor } from '../../src/documents/imageIndex.ts';
import { chooseInstance } from '../../src/platforms/chooseInstance.ts';
import { parsePlatform } from '../../src/platforms/platform.ts';
import { DOCKER, OCI } from '../support/layout.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

/** `linux/arm/v7`, `linux/amd64+zstd`, or `-` for an entry without platform. */
function entry(text: string): ManifestDescriptor {
  const [platform, zstd] = text.split('+');
  return {
    mediaType: OCI.manifest,
    digest: digestOf(text),
    size: 1,
    ...(zstd === undefined ? {} : { annotations: { 'io.github.containers.compression.zstd': 'true' } }),
    ...(platform === '-' ? {} : { platform: parsePlatform(platform as string) }),
  };
}

function choose(
  texts: readonly string[],
  platform: Platform,
  mediaType: string = OCI.index,
): string | undefined {
  const manifests = texts.map(entry);
  const { digest } = chooseInstance({ manifests, platform, mediaType, what: 'app', path: 'app.tar' });
  return texts.find((text) => digestOf(text) === digest);
}

describe('the instance of an index', () => {
  it.each([
    ['linux/amd64', ['linux/arm64', 'linux/amd64', 'linux/amd64/v2'], 'linux/amd64'],
    ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6', 'linux/arm/v8'], 'linux/arm/v6'],
    ['linux/arm/v7', ['linux/arm', 'linux/arm/v5'], 'linux/arm/v5'],
    ['linux/arm', ['linux/arm/v7', 'linux/arm'], 'linux/arm'],
    ['linux/arm64/v8', ['linux/arm64'], 'linux/arm64'],
    ['linux/amd64', ['-', 'linux/amd64'], 'linux/amd64'],
    ['linux/amd64', ['linux/arm64', '-'], '-'],
    ['linux/amd64', ['linux/amd64', 'linux/amd64+zstd'], 'linux/amd64+zstd'],
    ['linux/arm/v7', ['linux/arm/v6+zstd', 'linux/arm/v7'], 'linux/arm/v7'],
  ])('for %s of %j is %s', (wanted, texts, expected) => {
    expect(choose(texts, parsePlatform(wanted))).toBe(expected);
  });

  it('is the first of equals', () => {
    const [a, b] = [entry('linux/amd64'), { ...entry('linux/amd64'), digest: digestOf('other') }];
    const choice = {
      platform: parsePlatform('linux/amd64'),
      mediaType: OCI.index,
      what: 'app',
      path: 'app.tar',
    };
    expect(chooseInstance({ ...choice, manifests: [a, b] }).digest).toBe(a.digest);
    expect(chooseInstance({ ...choice, manifests: [b, a] }).digest).toBe(b.digest);
  });

  it('is missing with the words of upstream, and a hint that lists what there is', async () => {
    const error = await storageErrorOf(() =>
      choose(['linux/arm64', 'linux/s390x'], parsePlatform('linux/amd64')),
    );
    expect(error.code).toBe('PLATFORM_NOT_FOUND');
    expect(error.message).toContain(
      'no image found in image index for architecture "amd64", variant "", OS "linux"',
    );
    expect(error.facts.expected).toBe('linux/amd64');
    expect(error.hint).toContain('linux/arm64, linux/s390x');
    const docker = await storageErrorOf(() => choose([], parsePlatform('linux/arm/v7'), DOCKER.list));
    expect(docker.message).toContain(
      'no image found in manifest list for architecture "arm", variant "v7", OS "linux"',
    );
  });
});
