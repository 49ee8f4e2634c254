import { digestOf } from '@sediment/core';
import type { ImageInfo } from '@sediment/storage';
import { describe, expect, it } from 'vitest';
import { imageWith } from '../../../../test/support/storeInfos.ts';
import { completions, findImage, findImageIn } from '../../src/names.ts';

function image(id: string, names: string[], manifest = id): ImageInfo {
  return imageWith({
    id: id.padEnd(64, '0'),
    names,
    namesHistory: names,
    digests: [digestOf(manifest)],
  });
}

const local = image('aa1', ['localhost/app:1', 'localhost/team/app:latest']);
const hub = image('ab2', [
  'docker.io/library/app:1',
  'docker.io/library/redis:latest',
  'docker.io/team/tool:2',
]);
const other = image('cafe', ['quay.io/x/y:3', 'localhost:5000/z:latest']);
const nameless = image('dd4', []);
const hexName = image('ee5', ['localhost/cafe:latest']);
const raw = image('ff6', ['not/normalised']);
const images = [local, hub, other, nameless, hexName, raw];

describe('findImageIn', () => {
  it.each<[string, string, ImageInfo, string | undefined]>([
    ['a full name', 'quay.io/x/y:3', other, 'quay.io/x/y:3'],
    ['a short name of this host before one of the registry', 'app:1', local, 'localhost/app:1'],
    ['a short name of the registry', 'redis', hub, 'docker.io/library/redis:latest'],
    ['a path without a registry', 'team/app', local, 'localhost/team/app:latest'],
    ['a path of the registry', 'team/tool:2', hub, 'docker.io/team/tool:2'],
    ['a registry with a port', 'localhost:5000/z', other, 'localhost:5000/z:latest'],
    ['a name exactly as it is', 'not/normalised', raw, 'not/normalised'],
    ['a full id', nameless.id, nameless, undefined],
    ['an id with its algorithm', `sha256:${hub.id}`, hub, undefined],
    ['the beginning of an id', 'dd', nameless, undefined],
    ['a name that looks like the beginning of an id', 'cafe', hexName, 'localhost/cafe:latest'],
    ['the digest of a manifest', digestOf('dd4'), nameless, undefined],
    ['a name with a digest', `app@${digestOf('ab2')}`, hub, 'docker.io/library/app:1'],
    ['a name with tag and digest', `quay.io/x/y:9@${digestOf('cafe')}`, other, 'quay.io/x/y:3'],
  ])('finds %s', (_, text, expected, name) => {
    const found = findImageIn(images, text);
    expect(found.image).toBe(expected);
    expect(found.name).toBe(name);
  });

  it.each<[string, string]>([
    ['a name without its tag', 'quay.io/x/y'],
    ['an id that no image has', '0'.repeat(64)],
    ['the beginning of no id', '123'],
    ['a digest of an image with another name', `redis@${digestOf('aa1')}`],
    ['the end of a path', 'y:3'],
  ])('does not find %s', (_, text) => {
    expect(() => findImageIn(images, text)).toThrow(
      expect.objectContaining({ code: 'IMAGE_UNKNOWN', message: `${text}: image not known` }),
    );
  });

  it('names what it looked for', () => {
    expect(() => findImageIn(images, 'nginx')).toThrow(
      expect.objectContaining({
        hint: expect.stringContaining('localhost/nginx:latest, docker.io/library/nginx:latest'),
      }),
    );
  });

  it('refuses the beginning of several ids and lists them', () => {
    expect(() => findImageIn(images, 'a')).toThrow(
      expect.objectContaining({
        code: 'IMAGE_UNKNOWN',
        message: 'a: image not known: 2 ids begin like that',
        hint: expect.stringContaining(local.id),
      }),
    );
  });

  it('does not see an image of an additional store behind the record of the writable one', () => {
    const behind = { ...image('cafe', ['quay.io/x/lost:1']), readOnly: true };
    expect(findImageIn([...images, behind], 'caf').image).toBe(other);
    expect(() => findImageIn([...images, behind], 'quay.io/x/lost:1')).toThrow('image not known');
  });

  it('refuses what can be no name', () => {
    expect(() => findImageIn(images, 'App')).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  });
});

describe('findImage', () => {
  it('looks through the images of a store', async () => {
    const store = { images: { list: async () => images } } as unknown as Parameters<typeof findImage>[0];
    expect((await findImage(store, 'redis')).image.id).toBe(hub.id);
  });
});

describe('completions', () => {
  it('puts this host before the registry', () => {
    expect(completions('a/b')).toEqual(['localhost/a/b:latest', 'docker.io/a/b:latest']);
    expect(completions('example.com/a')).toEqual(['example.com/a:latest']);
    expect(completions('f'.repeat(64))).toEqual([]);
  });
});
