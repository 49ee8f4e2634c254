import { describe, expect, it } from 'vitest';
import { peersSkipReason, peerTitle } from '../support/peers.ts';
import type { DriverName } from '../support/storeRoot.ts';
import { type Step, TwinStores } from '../support/twinStores.ts';

/** The newer versions end the line of a container's name. */
function createBoxed(id: string, name: string, image: string): Step {
  const stdout = `${id}\n\t${name}\n`;
  return [['create-container', '--id', id, '--name', name, image], { contract: { stdout } }];
}

/** A base with two children, an image of each kind of layer, and containers. */
const SEED: readonly Step[] = [
  [['create-layer', '--id', 'base', '--name', 'ground']],
  [['create-layer', '--id', 'left', '--name', 'l1', '--name', 'l2', 'base']],
  [['create-layer', '--id', 'right', 'base']],
  [['create-layer', '--id', 'alone']],
  [['create-image', '--id', 'picture', '--name', 'p1', 'left']],
  [['create-image', '--id', 'second', '--name', 's1', 'left']],
  [['create-image', '--id', 'bare', '--name', 'b1']],
  [['set-image-data', 'picture', 'manifest'], { stdin: '{}' }],
  createBoxed('box', 'boxed', 'picture'),
  [['create-container', '--id', 'box2', 'picture']],
  [['set-container-data', 'box', 'notes'], { stdin: 'text' }],
  [['get-container-run-dir', 'box']],
];

const SCRIPT: readonly Step[] = [
  [['delete-layer', 'base', 'left', 'nothing'], { unordered: true }],
  // the peer forgets its checks when a layer is named
  [
    ['delete-layer', '-j', 'ground', 'nothing', 'ground'],
    {
      peerArgs: ['delete-layer', '-j', 'base', 'nothing', 'base'],
      contract: {
        stdout: '{"ground":"used by layer left: layer has children","nothing":"identifier is not a layer"}\n',
      },
    },
  ],
  [['delete-image', 'picture', 'nothing'], { unordered: true }],
  [['delete-image', '-j', 'p1', 'nothing']],
  [['delete-container', 'nothing', 'picture', 'left'], { unordered: true }],
  [['deletecontainer', '-j', 'nothing']],
  [['delete', 'nothing', 'nobody'], { unordered: true }],
  [['delete', '-j', 'nothing', '']],
  [['delete-image', '--test', 'bare']],
  [['delete-image', '--test', '--json', 'second']],
  [['delete-image', 'second', 'second']],
  [['delete-container', 'boxed', 'boxed']],
  [['delete-layer', 'left']],
  [['delete-container', '-j', 'box2']],
  [['delete-layer', 'left']],
  [['delete-image', '-t', 'p1']],
  [['delete-image', 'p1']],
  [['delete-image', '-j', 'b1']],
  [['deletelayer', 'right', 'alone']],
  [['layers', '-j']],
  [['containers', '-j']],
];

/** `delete` asks nobody, and looks among containers, then images, then layers. */
const UNCHECKED: readonly Step[] = [
  [['create-layer', '--id', 'base', '--name', 'same']],
  [['create-layer', '--id', 'top', 'base']],
  [['create-image', '--id', 'picture', '--name', 'same', 'top']],
  createBoxed('box', 'same', 'picture'),
  [['delete', 'same']],
  [['exists', '-c', 'same']],
  [['delete', 'same']],
  [['exists', '-i', 'same']],
  [['layers']],
  [['delete', 'top']],
  [['delete', '-j', 'same', 'same']],
  [['layers']],
];

/** What is mounted is unmounted first. */
const MOUNTED: readonly Step[] = [
  [['create-layer', '--id', 'base']],
  [['create-image', '--id', 'picture', 'base']],
  createBoxed('box', 'boxed', 'picture'),
  [['create-container', '--id', 'crate', 'picture']],
  [['mount', 'boxed', 'boxed', 'crate', 'base']],
  [['delete-container', 'box']],
  [['delete', 'crate']],
  [['delete-image', 'picture']],
  [['mounted', 'base']],
  [['layers']],
];

/** What checks and refuses knows nothing of drivers: once is enough. */
const SCRIPTS: ReadonlyArray<readonly [title: string, driver: DriverName, script: readonly Step[]]> = [
  ['with safety checks', 'overlay', [...SEED, ...SCRIPT]],
  ['without any checks', 'vfs', UNCHECKED],
  ['what is mounted', 'overlay', MOUNTED],
  ['what is mounted', 'vfs', MOUNTED],
  [
    'what others stand on',
    'overlay',
    [...SEED, [['delete', 'base']], [['delete-container', 'box']], [['delete', 'picture']]],
  ],
];

describe.skipIf(peersSkipReason)(peerTitle('deleting equals the Go command'), () => {
  it.each(SCRIPTS)('%s, on %s', async (_, driver, script) => {
    await using twins = new TwinStores({ driver });
    expect(await twins.run(script)).toEqual([]);
    expect(twins.compare()).toEqual([]);
  });
});
