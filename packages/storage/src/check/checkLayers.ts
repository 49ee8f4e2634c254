import { findPair } from '../layers/layerPair.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { Placed, TableView } from '../tables/recordTable.ts';
import type { CheckFinding, CheckOptions } from './checkReport.ts';
import { ExpectedTree } from './contents/expectedTree.ts';
import type { LayerCheck, LayerCheckResult, LayerToCheck } from './layerCheck.ts';

/** What is wrong with the layers themselves, by id; sound ones have an empty list. */
export type LayerFindings = ReadonlyMap<string, CheckedLayer>;

export interface CheckedLayer {
  /** The record that was looked at: another one of that id is another layer. */
  readonly record: LayerRecord;
  readonly findings: readonly CheckFinding[];
}

interface Request {
  readonly context: StoreContext;
  readonly check: LayerCheck;
  readonly options: CheckOptions;
}

/**
 * Checks all layers, parents first, without a lock: a layer does not change once it is complete, and
 * reading all of them can take minutes in which other programs want to work. What seems to be damaged may
 * just have been deleted, so each such layer is looked at once more under the read lock. Hence no
 * finding is an accident of timing, and others wait for the check of one layer at most.
 */
export async function checkLayers({ context, check, options }: Request): Promise<LayerFindings> {
  const { signal, onProgress } = options;
  const waiting = signal === undefined ? {} : { signal };
  const layers = await context.layers.read(
    (view) => parentsFirst(view.everywhere()).map(({ record }) => findPair(view, record.id, undefined)),
    waiting,
  );
  const trees = new Trees(layers);
  const checked = new Map<string, CheckedLayer>();
  for (const [at, layer] of layers.entries()) {
    const { id } = layer.record;
    const event = { layer: id, index: at + 1, total: layers.length };
    onProgress?.({ type: 'layer-begin', ...event });
    let result: LayerCheckResult | undefined = await check.run(layer, trees.below(layer.record));
    if (result.findings.length > 0) {
      result = await context.layers.read(
        (view) => checkAgain(view, layer, () => check.run(layer, trees.below(layer.record))),
        waiting,
      );
    }
    trees.put(layer.record, result?.tree);
    if (result !== undefined) checked.set(id, { record: layer.record, findings: result.findings });
    onProgress?.({ type: 'layer-end', ...event });
  }
  return checked;
}

/** Under the lock; undefined when the layer is not there any more. */
async function checkAgain(
  view: TableView<LayerRecord>,
  { record }: LayerToCheck,
  run: () => Promise<LayerCheckResult>,
): Promise<LayerCheckResult | undefined> {
  const present = view.locateId(record.id);
  return present !== undefined && isSameLayer(present.record, record) ? await run() : undefined;
}

/** Whether two records of one id are about the same content: a layer that is made anew has a new time. */
export function isSameLayer(one: LayerRecord, other: LayerRecord): boolean {
  return one.created === other.created && one.diffDigest === other.diffDigest;
}

/** Each id once (the writable store comes first), and each layer after its parent, if that is there. */
function parentsFirst(layers: readonly Placed<LayerRecord>[]): Placed<LayerRecord>[] {
  const byId = new Map<string, Placed<LayerRecord>>();
  for (const layer of layers) if (!byId.has(layer.record.id)) byId.set(layer.record.id, layer);
  const children = new Map<string | undefined, Placed<LayerRecord>[]>();
  for (const layer of byId.values()) {
    const { parent } = layer.record;
    const key = parent !== undefined && byId.has(parent) ? parent : undefined;
    const siblings = children.get(key);
    if (siblings === undefined) children.set(key, [layer]);
    else siblings.push(layer);
  }
  const ordered: Placed<LayerRecord>[] = [];
  const pending = [...(children.get(undefined) ?? [])].reverse();
  for (let layer = pending.pop(); layer !== undefined; layer = pending.pop()) {
    ordered.push(layer);
    pending.push(...(children.get(layer.record.id) ?? []).toReversed());
  }
  return ordered;
}

/** The expected trees, kept as long as a child needs them. */
class Trees {
  readonly #trees = new Map<string, ExpectedTree | undefined>();
  readonly #childrenLeft = new Map<string, number>();

  constructor(layers: readonly LayerToCheck[]) {
    for (const { record } of layers) {
      if (record.parent === undefined) continue;
      this.#childrenLeft.set(record.parent, (this.#childrenLeft.get(record.parent) ?? 0) + 1);
    }
  }

  below({ parent }: LayerRecord): ExpectedTree | undefined {
    return parent === undefined ? ExpectedTree.empty() : this.#trees.get(parent);
  }

  put({ id, parent }: LayerRecord, tree: ExpectedTree | undefined): void {
    if (this.#childrenLeft.has(id)) this.#trees.set(id, tree);
    if (parent === undefined) return;
    const left = (this.#childrenLeft.get(parent) ?? 1) - 1;
    this.#childrenLeft.set(parent, left);
    if (left === 0) this.#trees.delete(parent);
  }
}
