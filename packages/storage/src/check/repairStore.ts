import { isStorageError, type StorageErrorJson, wrapSystemError } from '@sediment/core';
import type { Containers } from '../containers/containers.ts';
import type { Images } from '../images/images.ts';
import { withLayerRemover } from '../layers/layerRemover.ts';
import type { Layers } from '../layers/layers.ts';
import { layersOfOtherMode } from '../store/otherMode.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { CheckReport, DamagedObject } from './checkReport.ts';
import type { RepairedObject, RepairOptions, RepairResult } from './repairResult.ts';

export interface RepairTools {
  readonly context: StoreContext;
  readonly layers: Layers;
  readonly images: Images;
  readonly containers: Containers;
}

/**
 * Removes what a check found to be damaged, and what stands on it: containers if that is asked for, then
 * images with the layers only they need, then what is left of the layers, children before their parents,
 * and at last the layers that only the driver knows. Each removal is one of the store's own and keeps its
 * rules: what is in use stays, and is listed with the reason. (containers/storage: `check.go`, `Repair`.)
 */
export async function repairStore(
  tools: RepairTools,
  report: CheckReport,
  options: RepairOptions = {},
): Promise<RepairResult> {
  const repair = new Repair(tools);
  if (options.removeContainers === true) {
    for (const { id } of report.containers) await repair.container(id);
  }
  for (const { id } of report.images) await repair.image(id);
  const known = report.layers.filter((layer) => !isUnaccounted(layer));
  for (const id of await deepestFirst(tools.context, known)) await repair.layer(id);
  for (const { id } of report.layers.filter(isUnaccounted)) await repair.unaccounted(id);
  return { removed: repair.removed, failed: repair.failed };
}

class Repair {
  readonly removed: RepairedObject[] = [];
  readonly failed: (RepairedObject & { readonly error: StorageErrorJson })[] = [];
  readonly #tools: RepairTools;

  constructor(tools: RepairTools) {
    this.#tools = tools;
  }

  async container(id: string): Promise<void> {
    const container = { kind: 'container', id } as const;
    await this.#try(container, async () => {
      await this.#tools.containers.delete(id);
      this.removed.push(container);
    });
  }

  async image(id: string): Promise<void> {
    const image = { kind: 'image', id } as const;
    await this.#try(image, async () => {
      const layers = await this.#tools.images.delete(id);
      this.removed.push(image, ...layers.map((layer) => ({ kind: 'layer', id: layer }) as const));
    });
  }

  async layer(id: string): Promise<void> {
    const layer = { kind: 'layer', id } as const;
    await this.#try(layer, async () => {
      await this.#tools.layers.delete(id);
      this.removed.push(layer);
    });
  }

  /** A layer that has a record by now, or again, is left alone. */
  async unaccounted(id: string): Promise<void> {
    const { context } = this.#tools;
    const layer = { kind: 'layer', id } as const;
    await this.#try(layer, async () => {
      await withLayerRemover(context, async (remover) => {
        await context.layers.write(async (writer) => {
          const records = [...writer.all(), ...writer.hidden()];
          const isKnown =
            records.some((record) => record.id === id) || (await layersOfOtherMode(context)).has(id);
          if (isKnown || !context.driver.list().includes(id)) return;
          await remover.removeContent(id);
          this.removed.push(layer);
        });
      });
    });
  }

  /** What is gone already went with something else, or another program removed it. */
  async #try(object: RepairedObject, remove: () => Promise<void>): Promise<void> {
    try {
      await remove();
    } catch (error) {
      if (isGone(error)) return;
      const what = `removing ${object.kind} ${object.id}`;
      const failure = wrapSystemError(error, what, 'IO', { object: object.id });
      this.failed.push({ ...object, error: failure.toJSON() });
    }
  }
}

function isGone(error: unknown): boolean {
  const codes = ['CONTAINER_UNKNOWN', 'IMAGE_UNKNOWN', 'LAYER_UNKNOWN'] as const;
  return codes.some((code) => isStorageError(error, code));
}

function isUnaccounted({ findings }: DamagedObject): boolean {
  return findings.some(({ kind }) => kind === 'layer-unaccounted');
}

/** Ids in the order in which they can be removed. */
async function deepestFirst({ layers }: StoreContext, damaged: readonly DamagedObject[]): Promise<string[]> {
  return await layers.read((view) => {
    const depthOf = (id: string) => {
      const seen = new Set<string>();
      for (let at: string | undefined = id; at !== undefined && !seen.has(at); at = view.byId(at)?.parent) {
        seen.add(at);
      }
      return seen.size;
    };
    const depths = damaged.map(({ id }) => ({ id, depth: depthOf(id) }));
    return depths.sort((a, b) => b.depth - a.depth).map(({ id }) => id);
  });
}
