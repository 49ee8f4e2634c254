import type { StorageErrorJson } from '@sediment/core';

export interface RepairOptions {
  /** Delete damaged containers, too. Without it they stay, and so do the images and layers they use. */
  readonly removeContainers?: boolean;
}

/** An object of a store, by full id. */
export interface RepairedObject {
  readonly kind: 'layer' | 'image' | 'container';
  readonly id: string;
}

/** What a repair has done, as plain data. */
export interface RepairResult {
  /** In the order of removal; layers that went with their image are among them. */
  readonly removed: readonly RepairedObject[];
  /** What should have been removed and is still there, with the reason. */
  readonly failed: readonly (RepairedObject & { readonly error: StorageErrorJson })[];
}
