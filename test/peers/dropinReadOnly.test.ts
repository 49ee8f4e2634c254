import { describe, expect, it } from 'vitest';
import { peersSkipReason, peerTitle } from '../support/peers.ts';
import type { DriverName } from '../support/storeRoot.ts';
import { tarListing } from '../support/tarListing.ts';
import { tarOf } from '../support/tarWriter.ts';
import { type Step, TwinStores } from '../support/twinStores.ts';

const content = tarOf([
  { name: 'etc/', type: 'directory' },
  { name: 'etc/motd', content: 'hello\n' },
]);

/** Commands on an additional store, as on one of its own. */
function inExtra(driver: DriverName, ...args: string[]): Step {
  const [command = '', ...rest] = args;
  const roots = ['--graph', '{DIR}/extra', '--run', '{DIR}/extra-run', '-s', driver];
  return [[command, ...roots, ...rest], { asIs: true }];
}

/** Commands on the own store, with the additional one beside it. */
function beside(driver: DriverName, step: Step): Step {
  const [[command = '', ...rest], options] = step;
  const option = ['--storage-opt', `${driver}.imagestore={DIR}/extra`];
  return [[command, ...option, ...rest], options];
}

const REFUSED = 'mounting read/only store images is not allowed: called a write method on a read-only store';

const SCRIPT: readonly Step[] = [
  [['layers', '-j']],
  [['layer', 'below', 'mine']],
  [['image', '-j', 'drawn']],
  [['mount', 'below', 'mine', 'box'], { contract: { stderr: `${REFUSED} while mounting below\n` } }],
  [
    ['mount', '-j', 'below'],
    { contract: { stdout: `[{"id":"below","mountpoint":"","error":"${REFUSED}"}]\n` } },
  ],
  [['mounted', 'mine']],
  [['changes', 'mine'], { unordered: true }],
  [['unmount', 'mine', 'box']],
  [['diff', 'below']],
  [['diff', '-u', 'mine'], { show: tarListing }],
  [['diffsize', 'below']],
  [['copy', '{DIR}/content', 'mine:/copied']],
  [['changes', 'mine'], { unordered: true }],
  [['layer-parent-owners', 'below']],
  [['delete-layer', 'below']],
  [['delete-image', 'drawn']],
  [['delete', 'below', 'drawn'], { unordered: true }],
  [['delete-layer', 'mine']],
  [['delete-container', 'box']],
  [['layers']],
];

describe.skipIf(peersSkipReason).each<DriverName>(['overlay', 'vfs'])(
  peerTitle('what is in a read-only store, on %s,'),
  (driver) => {
    it('can be used and not be changed, as by the Go command', async () => {
      await using twins = new TwinStores({ driver });
      const file = twins.file('content', content);
      const script = [
        [['create-layer', '--id', 'mine', 'below']],
        [['create-container', '--id', 'box', 'drawn']],
        ...SCRIPT,
      ] satisfies Step[];
      expect(
        await twins.run([
          inExtra(driver, 'import-layer', '--id', 'below', '-f', file),
          inExtra(driver, 'create-image', '--id', 'picture', '--name', 'drawn', 'below'),
          inExtra(driver, 'set-image-data', '-f', file, 'picture', 'manifest'),
          ...script.map((step) => beside(driver, step)),
        ]),
      ).toEqual([]);
      expect(twins.compare()).toEqual([]);
    });
  },
);
