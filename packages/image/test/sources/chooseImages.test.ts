import { describe, expect, it } from 'vitest';
import { chooseImages, type ImageChoice } from '../../src/sources/chooseImages.ts';
import { openImageSource } from '../../src/sources/openImageSource.ts';
import { dockerArchive } from '../support/dockerArchive.ts';
import { json, layerTar } from '../support/imageParts.ts';
import { Layout, named } from '../support/layout.ts';
import { scratchFile } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';
import { tarBytes } from '../support/tarBytes.ts';

const TAGS = [['docker.io/library/a:1', 'localhost/b:latest'], ['localhost/a:1'], null, ['x.y/c:2']];
const DOCKER = dockerArchive(TAGS.map((tags, i) => ({ layers: [layerTar(`${i}`)], tags })));

async function choose(bytes: Uint8Array, choice: ImageChoice): Promise<number[]> {
  await using source = await openImageSource(scratchFile(bytes));
  return chooseImages(source, choice).flatMap(({ positions }) => positions.slice(0, 1));
}

describe('choosing among the images of a source', () => {
  it.each([
    [{ name: 'docker.io/library/a:1' }, [0]],
    [{ name: 'a:1' }, [0]],
    [{ name: 'localhost/a:1' }, [1]],
    [{ name: 'b' }, [0]],
    [{ name: 'x.y/c:2' }, [3]],
    [{ index: 2 }, [2]],
  ])('%j', async (select, expected) => {
    expect(await choose(DOCKER, { select })).toEqual(expected);
  });

  it('takes all of them, or the only one', async () => {
    expect(await choose(DOCKER, { all: true })).toEqual([0, 1, 2, 3]);
    expect(await choose(dockerArchive([{ layers: [] }]), {})).toEqual([0]);
  });

  it('takes the literal names, tags and positions of a layout', async () => {
    const layout = new Layout();
    const a = layout.image({ layers: [layerTar('a')] });
    const b = layout.image({ layers: [layerTar('b')] });
    const dockerNames = (name: string, tag: string) => ({
      annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': tag },
    });
    layout.entries(
      { ...a, ...named('v1') },
      { ...b, ...dockerNames('docker.io/library/dk:2', '2') },
      { ...a, ...named('w') },
    );
    const choices = [
      { name: 'v1' },
      { name: 'w' },
      { name: 'dk:2' },
      { name: '2' },
      { index: 2 },
      { index: 1 },
    ];
    const chosen = await Promise.all(choices.map((select) => choose(layout.tar(), { select })));
    expect(chosen).toEqual([[0], [0], [1], [1], [0], [1]]);
  });

  it('must be done where there are several', async () => {
    const error = await storageErrorOf(() => choose(DOCKER, {}));
    expect(error.code).toBe('IMAGE_AMBIGUOUS');
    expect(error.message).toContain(
      'holds 4 images and none was chosen (Unexpected tar manifest.json: expected 1 item, got 4): @0 docker.io/library/a:1, localhost/b:latest; @1 localhost/a:1; @2 (no name); @3 x.y/c:2',
    );
    expect(error.hint).toContain('--all');
  });

  it('is ambiguous where two images have the name', async () => {
    const layout = new Layout();
    const entries = ['a', 'b'].map((name) => ({
      ...layout.image({ layers: [layerTar(name)] }),
      ...named('same'),
    }));
    layout.entries(...entries);
    const error = await storageErrorOf(() => choose(layout.tar(), { select: { name: 'same' } }));
    expect(error).toMatchObject({ code: 'IMAGE_AMBIGUOUS' });
    expect(error.message).toContain('same means 2 images: @0 same; @1 same');
  });

  it.each([
    [{ name: 'nope' }, 'nope', 'no image "nope" found in'],
    [{ name: 'INVALID NAME' }, 'INVALID NAME', 'no image "INVALID NAME" found in'],
    [{ index: 4 }, '@4', 'Invalid source index @4, only 4 manifest items available'],
  ])('finds nothing for %j, and says what there is', async (select, object, message) => {
    const error = await storageErrorOf(() => choose(DOCKER, { select }));
    expect(error).toMatchObject({ code: 'IMAGE_NOT_IN_SOURCE', facts: { object } });
    expect(error.message).toContain(message);
    expect(error.hint).toContain('it holds @0 docker.io/library/a:1');
  });

  it('finds nothing where there is nothing', async () => {
    const empty = tarBytes([{ path: 'manifest.json', data: '[]' }]);
    const layout = tarBytes([{ path: 'index.json', data: json({ manifests: null }) }]);
    for (const bytes of [empty, layout]) {
      for (const choice of [{}, { all: true }, { select: { index: 0 } }]) {
        expect(await storageErrorOf(() => choose(bytes, choice))).toMatchObject({
          code: 'IMAGE_NOT_IN_SOURCE',
        });
      }
    }
  });

  it('lists at most twenty images', async () => {
    const many = dockerArchive(
      Array.from({ length: 30 }, (_, i) => ({ layers: [layerTar(`${i}`)], tags: [`t:${i}`] })),
    );
    const { message } = await storageErrorOf(() => choose(many, {}));
    expect(message).toContain('@19 t:19; and 10 more');
    expect(message).not.toContain('@20');
  });
});
