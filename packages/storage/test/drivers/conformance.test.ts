import { join } from 'node:path';
import { describe } from 'vitest';
import { OverlayDriver } from '../../src/drivers/overlay/overlayDriver.ts';
import { VfsDriver } from '../../src/drivers/vfs/vfsDriver.ts';
import { driverConformance } from './conformance.ts';

const isRoot = process.geteuid?.() === 0;

describe.skipIf(!isRoot)('drivers (need root to mount and to change owners)', () => {
  for (const on of ['tmpfs', 'ext4'] as const) {
    driverConformance(
      {
        name: 'overlay',
        make: (context) => new OverlayDriver(context),
        contentOf: ({ home }, id) => join(home, id, 'diff'),
      },
      on,
    );
    driverConformance(
      {
        name: 'vfs',
        make: (context) => new VfsDriver(context),
        contentOf: ({ home }, id) => join(home, 'dir', id),
      },
      on,
    );
  }
});
