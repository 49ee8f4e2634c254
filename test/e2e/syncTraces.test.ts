import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StepArchives, writeStepArchives } from '../support/durability/stepArchives.ts';
import { STORE_STEPS, type StoreStep, stepCommand } from '../support/durability/storeSteps.ts';
import { checkSyncOrder, type SyncOrder, type SyncPolicy } from '../support/durability/syncOrder.ts';
import { straceSkipReason, traceCommand } from '../support/durability/traceCommand.ts';
import { rootSkipReason, titled } from '../support/hostAbility.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';

const skipReason = rootSkipReason ?? straceSkipReason;
const ALL: readonly StoreStep[] = Object.values(STORE_STEPS);
const S = STORE_STEPS;
/** What the drivers do in ways of their own. */
const LAYERS = [
  S.import,
  S.sharing,
  S.tag,
  S.create,
  S.putLayer,
  S.createLayer,
  S.applyDiff,
  S.removeContainer,
  S.removeImage,
];
const FEW = [S.import, S.keeping, S.tag, S.create, S.removeContainer, S.removeKept];

interface Course {
  readonly policy: SyncPolicy;
  readonly driver: DriverName;
  readonly steps: readonly StoreStep[];
}

describe.each<Course>([
  { policy: 'ordered', driver: 'overlay', steps: ALL },
  { policy: 'ordered', driver: 'vfs', steps: LAYERS },
  { policy: 'full', driver: 'overlay', steps: FEW },
  { policy: 'none', driver: 'overlay', steps: FEW },
])('system calls under the policy $policy, $driver', ({ policy, driver, steps }) => {
  let store: StoreRoot;
  let archives: StepArchives;
  /** Of the steps that have run. */
  const orders = new Map<StoreStep, SyncOrder>();
  beforeAll(() => {
    // where files have a disk to get to
    store = makeStoreRoot({ driver, on: 'ext4' });
    archives = writeStepArchives(join(store.path, 'archives'));
  });
  afterAll(() => store.dispose());

  describe.skipIf(skipReason)(titled('are in the order that it promises', skipReason), () => {
    it.each(steps.map((step) => [step.name, step] as const))('%s', async (_, step) => {
      const { result, actions } = await traceCommand(store, stepCommand(store, step, archives, policy));
      expect(result).toMatchObject({ exitCode: 0 });
      const order = checkSyncOrder(store.graphRoot, actions, policy);
      orders.set(step, order);
      expect(order.violations).toEqual([]);
    });
  });

  it.skipIf(skipReason)(titled('and were many', skipReason), () => {
    const count = (what: 'placed' | 'records' | 'removed', step: StoreStep) => orders.get(step)?.[what] ?? 0;
    // three layers with their tar-splits
    expect(count('placed', S.import)).toBeGreaterThanOrEqual(6);
    // all layers at once, then the image
    expect(count('records', S.import)).toBe(2);
    expect(count('records', S.tag)).toBe(1);
    expect(count('removed', S.removeContainer)).toBeGreaterThanOrEqual(1);
  });

  it.skipIf(skipReason)(titled('sync no more than it asks for', skipReason), () => {
    const { barriers, contentSyncs } = orders.get(S.import) as SyncOrder;
    if (policy === 'none') expect({ barriers, contentSyncs }).toEqual({ barriers: 0, contentSyncs: 0 });
    // trees that begin as copies of others are brought to the disk by one sync of all; else nobody else's data is
    else expect(barriers).toBe(driver === 'vfs' ? 1 : 0);
    if (policy !== 'none' && driver === 'overlay') expect(contentSyncs).toBeGreaterThan(100);
  });
});
