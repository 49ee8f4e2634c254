import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { peersSkipReason, peerTitle } from '../support/peers.ts';
import type { DriverName } from '../support/storeRoot.ts';
import { type Step, TwinStores } from '../support/twinStores.ts';

/** Two ids begin with it, and no other: those that the programs make are random. */
const SHARED = 'a'.repeat(12);

/** What every story starts with: a chain of two layers, an image on it and a container on that. */
const SEED: readonly Step[] = [
  [['create-layer', '-n', 'base', '--name=base2']],
  [['create-layer', '-n', 'top', 'base']],
  [['create-image', '-n', 'im', '-n', 'im2', '-m', 'about im', 'top']],
  [
    ['create-container', '-n', 'box', '-m', 'about box\n', 'im'],
    // the peer forgets the line end after a name
    { contract: { stdout: '{ID4}\n\tbox\n' } },
  ],
];

const LISTINGS: readonly Step[] = [
  [['layers']],
  [['layers', '--tree']],
  [['layers', '-j']],
  [['layers', '-t', '-j']],
  [['images']],
  [['images', '-q']],
  [['images', '-j']],
  [['containers']],
  [['containers', '--json']],
  [['layer', 'base', 'top']],
  [['layer', '-j', 'base', 'top']],
  [['image', 'im']],
  [['image', '-j', 'im2']],
  [['container', 'box']],
  [['container', '-j', 'box']],
  // asked for its size, the peer makes the container's directories
  [['get-container-dir', 'box']],
  [['get-container-run-dir', 'box']],
];

let twins: TwinStores;
afterEach(async () => await twins[Symbol.asyncDispose]());

async function expectSame(driver: DriverName, ...scripts: (readonly Step[])[]): Promise<void> {
  twins = new TwinStores({ driver });
  expect(await twins.run(scripts.flat())).toEqual([]);
  expect(twins.compare()).toEqual([]);
}

describe.skipIf(peersSkipReason)(peerTitle('commands about objects do what the Go program does'), () => {
  describe.each(['overlay', 'vfs'] as const)('on %s', (driver) => {
    it('lists an empty store', async () => {
      await expectSame(driver, [
        [['layers']],
        [['layers', '-j'], { contract: { stdout: 'null\n' } }],
        [['layers', '-t']],
        [['images']],
        [['images', '-j']],
        [['containers']],
        [['containers', '-j']],
      ]);
    });

    it('creates, lists and examines', async () => {
      await expectSame(driver, SEED, LISTINGS);
    });

    it('draws a tree with branches', async () => {
      await expectSame(driver, SEED, [
        [['create-layer', 'base']],
        [['create-layer', '-n', 'leaf', 'top']],
        [['create-layer', '-n', 'other']],
        [['create-image', '-n', 'unlayered']],
        [['create-image', 'other']],
        [['layers', '-t']],
        [['layers']],
        [['images']],
      ]);
    });
  });

  it('keeps items', async () => {
    twins = new TwinStores({ driver: 'vfs' });
    twins.file('item', 'bytes of a file');
    expect(await twins.run([...SEED, ...itemSteps(), ...LISTINGS])).toEqual([]);
    expect(twins.compare()).toEqual([]);
  });

  it('prints only ids of layers when asked', async () => {
    await expectSame('vfs', SEED, [
      [['layers', '-q'], { oursAlone: true, contract: said('{ID1}\n{ID2}\n{ID5}\n') }],
    ]);
  });

  it('takes ids, prefixes and names, and creates with a given id', async () => {
    await expectSame('vfs', SEED, [
      [['create-layer', '-i', 'a'.repeat(64), '-j', '-r', '-l', 'label', '{ID1:20}']],
      [['create-layer', '-i', `${SHARED}${'c'.repeat(52)}`, 'base2']],
      [['create-layer', '-i', 'no-hex']],
      [['layer', SHARED, `${SHARED}a`, `${SHARED}c`, 'no']],
      [['create-image', '-i', 'd'.repeat(64), '-j', '-n', 'x', '{ID2}']],
      [['create-image', '-j', '-d', `sha256:${'1'.repeat(64)}`]],
      [['create-container', '-i', 'e'.repeat(64), '-j', '']],
      [['layers']],
    ]);
  });

  it('names things', async () => {
    // of added names the peer puts the new ones last
    const newFirst = (...names: string[]) => ({ contract: { stdout: `${JSON.stringify(names)}\n` } });
    await expectSame('vfs', SEED, [
      [['layers']],
      [['get-names', 'im']],
      [['get-names', '-j', '{ID5}']],
      [['add-names', '-n', 'first', '-n', 'second', 'base', 'ignored']],
      [['add-names', '-j', '-n', 'third', 'base'], newFirst('third', 'first', 'second', 'base', 'base2')],
      [['add-names', '-j', '-n', 'also', 'box'], newFirst('also', 'box')],
      [['set-names', '-n', 'box', '-n', 'also', 'box']],
      [['set-names', '-j', '-n', 'im', '-n', 'base', 'base']],
      [['set-names', '-j', '-n', 'new', '-n', 'new', 'im2']],
      [['set-names', '-n', 'box', 'new']],
      [['add-names', '{ID3}']],
      [['get-names', 'box']],
      [['setnames', 'base']],
      [['set-names', '-j', '{ID1}']],
      [['get-names', '-j', '{ID1}']],
      [['getnames', 'base']],
      [['create-layer', '-n', 'thief', '-n', 'base']],
      [['set-names', '-j', '-n', 'thief', '-n', 'top', 'thief']],
      [['get-names', '{ID2}']],
      [['create-image', '-n', 'im3', '-n', 'im3', 'top']],
      [['set-names', '-n', 'im', 'im3']],
      [['add-names', '-n', 'x', 'nope']],
      [['get-names', 'nope']],
      [['layers']],
      [['images', '-j']],
      [['containers', '-j']],
    ]);
  });

  it('removes names', async () => {
    twins = new TwinStores({ driver: 'vfs' });
    const ours = (stdout: string) => ({ oursAlone: true, contract: said(stdout) }) as const;
    expect(
      await twins.run([
        ...SEED,
        [['remove-names', '-n', 'im2', '-n', 'nothing', 'im', 'ignored'], ours('')],
        [['remove-names', '-j', '-n', 'base2', 'base'], ours('["base"]\n')],
        [['get-names', '-j', 'im'], ours('["im"]\n')],
        [['remove-names', '-n', 'a', 'nope'], { oursAlone: true, contract: failed('layer not known\n') }],
      ]),
    ).toEqual([]);
  });

  it('keeps metadata', async () => {
    await expectSame('vfs', SEED, [
      [['metadata', 'im', 'box', 'top']],
      [['metadata', '-q', 'box', 'im']],
      [['metadata', '-j', 'box', 'im']],
      [['metadata', 'im', 'nope', 'box']],
      [['metadata', '-j', 'nope', 'im']],
      [['set-metadata', '-m', 'new "text" <&>', 'im']],
      [['set-metadata', '-m', 'of a layer', 'base']],
      [['setmetadata', '-m', 'loses', '-f', '{DIR}/tmp/meta', 'box']],
      [['set-metadata', 'im']],
      [['set-metadata', '-m', '', 'im']],
      [['set-metadata', '-m', 'x', 'nope']],
      [['set-metadata', '-f', '{DIR}/nope', 'im']],
      [['metadata', '-j', 'im', 'base', 'box']],
      [['create-image', '-m', 'loses', '-f', '{DIR}/nope', 'top']],
      ...LISTINGS,
    ]);
  });

  it('finds images by digest', async () => {
    const manifest = `{"schemaVersion":2}`;
    await expectSame('vfs', SEED, [
      [['set-image-data', 'im', 'manifest'], { stdin: manifest }],
      [['set-image-data', 'im', 'manifest-2'], { stdin: 'other' }],
      [['create-image', '-n', 'second', '-d', DIGEST_OF_OTHER]],
      [['images-by-digest', DIGEST_OF_OTHER]],
      [['images-by-digest', '-q', DIGEST_OF_OTHER]],
      [['images-by-digest', '-j', DIGEST_OF_OTHER]],
      [['images-by-digest', `sha256:${'0'.repeat(64)}`]],
      // the peer puts the argument in front
      [['images-by-digest', 'abc'], { contract: { stderr: 'invalid checksum digest format\n' } }],
      [['images-by-digest', 'sha256:abc'], { contract: { stderr: 'invalid checksum digest length\n' } }],
      [['images-by-digest', 'abc:def'], { contract: { stderr: 'unsupported digest algorithm\n' } }],
      ...LISTINGS,
    ]);
  });

  it('tells what exists', async () => {
    await expectSame('vfs', SEED, [
      [['exists', 'base']],
      [['exists', 'base', 'nope'], { unordered: true }],
      [['exists', '-j', 'nope', 'base']],
      [['exists', '-q', 'base']],
      [['exists', '-q', 'nope']],
      [['exists', '-q', '-j', 'nope', 'box']],
      [['exists', '-l', 'base']],
      [['exists', '-i', 'base']],
      [['exists', '-l', '-i', 'base']],
      [['exists', '-c', 'box']],
      [['exists', '--image', 'im', 'box'], { unordered: true }],
      [['exists', '-i', 'nope']],
      [['exists', '']],
    ]);
  });

  it('knows the directories of a container', async () => {
    await expectSame('vfs', SEED, [
      [['get-container-dir', 'box']],
      [['getcontainerrundir', 'box']],
      [['get-container-dir', 'im']],
      [['get-container-run-dir', 'nope']],
    ]);
  });

  it('knows the directories of an image', async () => {
    twins = new TwinStores({ driver: 'vfs' });
    const ours = (stdout: string) => ({ oursAlone: true, contract: said(stdout) }) as const;
    expect(
      await twins.run([
        ...SEED,
        [['get-image-dir', 'im'], ours('{GRAPH}/vfs-images/{ID3}/userdata\n')],
        [['getimagerundir', 'im'], ours('{RUN}/vfs-images/{ID3}/userdata\n')],
        [
          ['get-image-dir', 'box'],
          { oursAlone: true, contract: failed('locating image with ID "box": image not known\n') },
        ],
      ]),
    ).toEqual([]);
  });

  it('shows and uses what is in an additional store', async () => {
    twins = new TwinStores({ driver: 'vfs' });
    const inOther = ([command = '', ...rest]: readonly string[]): Step => [
      ['-g', '{DIR}/other', '-R', '{DIR}/otherrun', '-s', 'vfs', command, ...rest],
      { asIs: true },
    ];
    const withOther = ([command = '', ...rest]: readonly string[]): Step => [
      [command, '--storage-opt', 'vfs.imagestore={DIR}/other', ...rest],
    ];
    const script: Step[] = [
      inOther(['create-layer', '-n', 'base']),
      inOther(['create-layer', '-n', 'top', 'base']),
      inOther(['create-image', '-n', 'im', '-m', 'about', 'top']),
      [['set-image-data', '-g', '{DIR}/other', 'im', 'manifest'], { stdin: 'x' }],
      [['create-layer', '-n', 'own']],
      ...[
        ['layers'],
        ['layers', '-t'],
        ['layers', '-j'],
        ['images'],
        ['images', '-j'],
        ['layer', 'top'],
        ['image', 'im'],
        ['exists', '-l', 'base'],
        ['metadata', 'im'],
        ['get-names', 'im'],
        ['list-image-data', 'im'],
        ['get-image-data', 'im', 'manifest'],
        ['create-layer', '-n', 'child', 'top'],
        ['create-container', '-j', '-n', 'box', 'im'],
        ['containers', '-j'],
        ['layers', '-t'],
        ['set-metadata', '-m', 'x', 'im'],
      ].map(withOther),
    ];
    expect(await twins.run(script)).toEqual([]);
  });

  it('passes over unknown objects in silence', async () => {
    await expectSame('vfs', SEED, [
      [['layer', 'nope', 'top']],
      [['layer', '-j', 'nope']],
      [['image', 'box']],
      [['image', '-j', 'nope', 'im']],
      [['container', 'im', 'box']],
      [['container', '-j', 'top']],
      [['get-container-dir', 'box']],
      [['get-container-run-dir', 'box']],
    ]);
  });

  it('refuses what cannot be created', async () => {
    await expectSame('vfs', SEED, [
      [['create-layer', 'nope']],
      [['create-layer', '-n', 'base']],
      [['create-layer', '-i', '{ID1}']],
      [['layers']],
      [['create-layer', '{ID5}']],
      [['create-image', '-i', '{ID3}']],
      [['create-image', '-n', 'im']],
      [['create-image', 'nope']],
      [['create-image', '-d', 'abc']],
      [['create-container', '-n', 'box', 'im']],
      [['create-container', '-i', '{ID4}', 'im']],
      [['create-container', 'nope']],
      [['create-layer', '--uidmap', '0:1']],
      [['create-layer', '--uidmap', '0:1:a']],
      [['create-layer', '--gidmap', '0:1']],
      [['create-layer', '--uidmap', '0:1:2:3']],
      [['create-layer', '--hostuidmap', '--uidmap', '0:0:1']],
      [['create-layer', '--hostgidmap', '--subgidmap', 'root']],
      [['create-layer', '--subuidmap', 'nobodyknows']],
      [['import-layer', '-f', '{DIR}/nope']],
      [['createcontainer', '-f', '{DIR}/nope', 'im']],
    ]);
  });

  it('imports layers', async () => {
    twins = new TwinStores({ driver: 'overlay' });
    const file = twins.file('tmp/layer.tar', new Uint8Array(10_240));
    expect(
      await twins.run([
        [['create-layer', '-n', 'base']],
        [['import-layer', '-n', 'imported', '-f', file, 'base']],
        [['importlayer', '-j'], { stdin: new Uint8Array(1024) }],
        [['import-layer', '-j'], { stdin: 'no archive' }],
        [['layers', '-j']],
      ]),
    ).toEqual([]);
    expect(twins.compare()).toEqual([]);
  });

  it('maps ids', async () => {
    twins = new TwinStores({ driver: 'vfs' });
    const script: Step[] = [
      ...SEED,
      [['create-layer', '-n', 'mapped', '--uidmap', '0:1000:10:10:5000:3', '--gidmap', '0:2000:10', 'base']],
      [['layer', 'mapped']],
      [['create-layer', '-n', 'inherits', 'mapped']],
      [['layer', '-j', 'inherits']],
      [['create-layer', '-j', '--hostuidmap', '--hostgidmap', 'mapped']],
      [['create-container', '-j', '--uidmap', '0:1000:10', '--gidmap', '0:2000:10', 'im']],
      [['image', 'im']],
      [['layers', '-j']],
    ];
    expect(await twins.run(script)).toEqual([]);
  });

  it('marks a container as volatile, and keeps its record apart as newer versions do', async () => {
    twins = new TwinStores({ driver: 'vfs' });
    expect(
      await twins.run([
        ...SEED,
        [['create-container', '--volatile', '-j', 'im']],
        [['containers', '-j']],
        [['layers', '-j']],
      ]),
    ).toEqual([]);
    const [, ours] = twins.stores;
    expect(existsSync(join(ours.graphRoot, 'vfs-containers/volatile-containers.json'))).toBe(true);
  });

  it('answers about the store', async () => {
    await expectSame('vfs', SEED, [
      [['status']],
      [['status', '-j']],
      [['version'], { contract: { stderr: 'Version: 0.1.0\n' } }],
      [['version', '-j'], { contract: { stdout: '[["Version","0.1.0"]]\n' } }],
    ]);
  });
});

const DIGEST_OF_OTHER = 'sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa';

/** A step that succeeds with this output. */
function said(stdout: string) {
  return { stdout, stderr: '', exitCode: 0 };
}

function failed(stderr: string) {
  return { stdout: '', stderr, exitCode: 1 };
}

function itemSteps(): Step[] {
  const owners = [
    ['image', 'im'],
    ['container', 'box'],
    ['layer', 'base'],
  ] as const;
  return owners.flatMap(([kind, name]): Step[] => {
    const facts: Step[] =
      kind === 'layer'
        ? []
        : ['size', 'digest'].flatMap((fact): Step[] => [
            [[`get-${kind}-data-${fact}`, name, 'small']],
            [[`get${kind}data${fact}`, name, 'nothing']],
            [[`get-${kind}-data-${fact}`, 'nope', 'nothing']],
          ]);
    return [
      [[`list-${kind}-data`, name]],
      [[`list-${kind}-data`, '-j', name]],
      [[`set-${kind}-data`, name, 'small'], { stdin: 'a few bytes' }],
      [[`set-${kind}-data`, name, 'Odd name/with-slash'], { stdin: Buffer.from([0, 1, 2, 255]) }],
      [[`set-${kind}-data`, name, 'empty']],
      [[`set-${kind}-data`, name, 'small'], { stdin: 'other bytes' }],
      [[`set${kind}data`, '-f', '{DIR}/nope', name, 'small']],
      [[`set-${kind}-data`, '-f', '{DIR}/item', name, 'from-file']],
      [[`set-${kind}-data`, name, ''], { stdin: 'x' }],
      [[`set-${kind}-data`, 'nope', 'x'], { stdin: 'x' }],
      [[`get-${kind}-data`, name, 'small']],
      [[`get${kind}data`, name, 'Odd name/with-slash']],
      [[`get-${kind}-data`, name, 'empty']],
      [[`get-${kind}-data`, '-f', '{DIR}/tmp/out', name, 'small']],
      [[`get-${kind}-data`, '-f', '{DIR}/no/such/dir', name, 'small']],
      [[`get-${kind}-data`, name, 'nothing']],
      [[`get-${kind}-data`, 'nope', 'nothing']],
      [[`get-${kind}-data`, name, '']],
      ...facts,
      [[`list${kind}data`, name]],
      [[`list-${kind}-data`, '-j', name]],
      [[`list-${kind}-data`, 'nope']],
    ];
  });
}
