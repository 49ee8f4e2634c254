import { StorageError } from '@sediment/core';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView } from '../tables/recordTable.ts';
import { whyNotFound } from '../tables/whyNotFound.ts';
import { type AddChainOptions, addChain, type ChainLayer } from './addChain.ts';
import { type LayerInfo, layerInfo } from './layerInfo.ts';
import { withLayerRemover } from './layerRemover.ts';

/** The layers of a store. */
export interface Layers {
  /** All complete layers, in the order of their creation. */
  list(): Promise<readonly LayerInfo[]>;
  /**
   * By id, name or unique id prefix.
   * @throws {StorageError} `LAYER_UNKNOWN`
   */
  get(idOrName: string): Promise<LayerInfo>;
  /** Paths that the driver uses: `UpperDir`, `WorkDir`, `MergedDir` and `LowerDir` (overlay). */
  driverMetadata(idOrName: string): Promise<Readonly<Record<string, string>>>;
  /** Adds the layers of an image, base first; see {@link addChain}. */
  addChain(chain: readonly ChainLayer[], options?: AddChainOptions): Promise<readonly LayerInfo[]>;
  /**
   * Deletes a layer that nothing needs.
   * @throws {StorageError} `LAYER_UNKNOWN`, `LAYER_HAS_CHILDREN`, `LAYER_USED_BY_IMAGE`,
   *   `LAYER_USED_BY_CONTAINER`
   */
  delete(idOrName: string): Promise<void>;
}

/** @throws {StorageError} `LAYER_UNKNOWN` */
export function findLayer(view: TableView<LayerRecord>, idOrName: string): LayerRecord {
  const layer = view.find(idOrName);
  if (layer !== undefined) return layer;
  const { reason, hint } = whyNotFound(view, idOrName, 'list the layers of the store with "sediment layers"');
  throw new StorageError('LAYER_UNKNOWN', `layer "${idOrName}": layer not known${reason}`, {
    object: idOrName,
    hint,
  });
}

export class StoreLayers implements Layers {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async list(): Promise<readonly LayerInfo[]> {
    return await this.#context.layers.read((view) => view.all().map(layerInfo));
  }

  async get(idOrName: string): Promise<LayerInfo> {
    return await this.#context.layers.read((view) => layerInfo(findLayer(view, idOrName)));
  }

  async driverMetadata(idOrName: string): Promise<Readonly<Record<string, string>>> {
    return await this.#context.layers.read((view) => {
      return this.#context.driver.metadata(findLayer(view, idOrName).id);
    });
  }

  async addChain(chain: readonly ChainLayer[], options: AddChainOptions = {}): Promise<readonly LayerInfo[]> {
    return await addChain(this.#context, chain, options);
  }

  async delete(idOrName: string): Promise<void> {
    await this.#context.change(() => this.#delete(idOrName));
  }

  async #delete(idOrName: string): Promise<void> {
    const { layers, images, containers } = this.#context;
    await withLayerRemover(this.#context, async (remover) => {
      await layers.write(async (writer) => {
        const layer = findLayer(writer, idOrName);
        const children = writer.all().filter((other) => other.parent === layer.id);
        refuseIfUsed(layer.id, 'LAYER_HAS_CHILDREN', 'layer', children);
        await images.write(async (imageWriter) => {
          const users = imageWriter.all().filter((image) => image.layer === layer.id);
          refuseIfUsed(layer.id, 'LAYER_USED_BY_IMAGE', 'image', users);
          const boxes = await containers.read((view) => view.all().filter((box) => box.layer === layer.id));
          refuseIfUsed(layer.id, 'LAYER_USED_BY_CONTAINER', 'container', boxes);
          await remover.remove(writer, [layer]);
          const mapped = imageWriter.all().filter((image) => image.mappedLayers.includes(layer.id));
          for (const image of mapped) {
            imageWriter.put({ ...image, mappedLayers: image.mappedLayers.filter((id) => id !== layer.id) });
          }
          if (mapped.length > 0) await imageWriter.save();
        });
      });
    });
  }
}

const USE_TEXT = {
  LAYER_HAS_CHILDREN: 'layer has children',
  LAYER_USED_BY_IMAGE: 'layer is in use by an image',
  LAYER_USED_BY_CONTAINER: 'layer is in use by a container',
} as const;

function refuseIfUsed(
  layerId: string,
  code: keyof typeof USE_TEXT,
  kind: string,
  users: readonly { readonly id: string }[],
): void {
  if (users.length === 0) return;
  const usedBy = users.map((user) => user.id);
  throw new StorageError(code, `layer ${layerId} used by ${kind} ${usedBy.join(', ')}: ${USE_TEXT[code]}`, {
    object: layerId,
    usedBy,
    hint: `delete the ${kind}${usedBy.length > 1 ? 's' : ''} first`,
  });
}
