import { join } from 'node:path';
import type { Warning } from '@sediment/core';
import { type MountEntry, mountsBelow } from '../../../../test/support/mounts.ts';
import { makeStoreRoot, type StoreRoot, type StoreRootOptions } from '../../../../test/support/storeRoot.ts';
import { OverlayDriver } from '../../src/drivers/overlay/overlayDriver.ts';
import { TempDirRoot } from '../../src/staging/tempDirRoot.ts';

export const isRoot = process.geteuid?.() === 0;
export const needsRoot = isRoot ? '' : ' (skipped: needs root to mount)';

/** An overlay driver on a store of its own. */
export interface OverlayFixture extends AsyncDisposable {
  readonly store: StoreRoot;
  readonly driver: OverlayDriver;
  readonly temp: TempDirRoot;
  readonly warnings: Warning[];
  /** Another object on the same store, as another process would have. */
  reopen(options?: readonly string[]): Promise<OverlayDriver>;
  /** The overlay mount of a layer, or undefined. */
  mountOf(id: string): MountEntry | undefined;
  /** The mounts of the home on itself. */
  homeMounts(): MountEntry[];
}

export async function overlayFixture(
  options: readonly string[] = [],
  root: StoreRootOptions | StoreRoot = {},
  imageStores: readonly string[] = [],
): Promise<OverlayFixture> {
  const store = 'graphRoot' in root ? root : makeStoreRoot(root);
  const warnings: Warning[] = [];
  const reopen = async (own: readonly string[] = options): Promise<OverlayDriver> => {
    const { graphRoot, runRoot } = store;
    const driver = new OverlayDriver({
      graphRoot,
      runRoot,
      options: own,
      imageStores,
      onWarning: (warning) => warnings.push(warning),
    });
    await driver.open();
    return driver;
  };
  let driver: OverlayDriver;
  try {
    driver = await reopen();
  } catch (error) {
    store.dispose();
    throw error;
  }
  return {
    store,
    driver,
    temp: new TempDirRoot(join(driver.home, 'tempdirs')),
    warnings,
    reopen,
    mountOf: (id) => mountsBelow(join(driver.home, id, 'merged'))[0],
    homeMounts: () => mountsBelow(driver.home).filter(({ mountPoint }) => mountPoint === driver.home),
    [Symbol.asyncDispose]: async () => store.dispose(),
  };
}

/** The options of an overlay mount that name directories. */
export function directoriesOf({ superOptions }: MountEntry): string[] {
  return superOptions.split(',').filter((option) => /^(lowerdir|upperdir|workdir)=/.test(option));
}
