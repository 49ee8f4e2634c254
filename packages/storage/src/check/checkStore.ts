import { Breather } from '../store/breather.ts';
import type { StoreContext } from '../store/storeContext.ts';
import { buildReport } from './buildReport.ts';
import { checkLayers } from './checkLayers.ts';
import type { CheckOptions, CheckReport } from './checkReport.ts';
import { LayerCheck } from './layerCheck.ts';
import { withStoreRecords } from './storeRecords.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Checks the whole store and changes nothing in it. (containers/storage: `check.go`, `Check`.)
 *
 * @throws {RangeError} for an age that is not a number
 * @throws {StorageError} `ABORTED`; `RECORD_INVALID`; what keeps this host from looking, such as
 *   `PERMISSION_DENIED`. What is wrong with the store's content is in the report.
 */
export async function checkStore(context: StoreContext, options: CheckOptions = {}): Promise<CheckReport> {
  const { quick = false, maxUnreferencedLayerAge = DAY_MS, signal } = options;
  if (Number.isNaN(maxUnreferencedLayerAge)) {
    throw new RangeError('maxUnreferencedLayerAge must be a number of milliseconds');
  }
  const mount = context.access === 'shared';
  const contents = mount && !quick;
  const breather = new Breather('the check', signal);
  const check = new LayerCheck({ context, breather, mount, contents });
  const checked = await checkLayers({ context, check, options });
  const skipped: CheckReport['skipped'] = [
    ...(mount ? [] : (['mountable'] as const)),
    ...(contents ? [] : (['contents'] as const)),
  ];
  return await withStoreRecords(
    context,
    (records) => buildReport({ records, checked, maxUnreferencedLayerAge, skipped }),
    signal,
  );
}
