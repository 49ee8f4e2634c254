import { describeErrorCode, StorageError } from '@sediment/core';
import { withAddedNames, withoutNames } from '../records/names.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { NamesChange } from '../tables/moveNames.ts';
import type { NamedRecord, RecordTable, TableView } from '../tables/recordTable.ts';
import { deleteObject } from './deleteObject.ts';
import { renameObject } from './renameObject.ts';
import { setObjectMetadata } from './setObjectMetadata.ts';

export type ObjectKind = 'layer' | 'image' | 'container';

/** An object found by a text that does not say of which kind it is. */
export interface FoundObject {
  readonly kind: ObjectKind;
  /** Its full id. */
  readonly id: string;
}

/**
 * Layers, images and containers alike. They are looked for in that order, in additional stores too; each kind
 * by id, then name, then unique id prefix. (Deleting looks the other way round.)
 */
export interface StoreObjects {
  find(idOrName: string): Promise<FoundObject | undefined>;
  exists(idOrName: string): Promise<boolean>;
  /** @throws {StorageError} `LAYER_UNKNOWN` */
  names(idOrName: string): Promise<readonly string[]>;
  /**
   * Replaces all names, taking them from others of the same kind; returns those that the object has now.
   * @throws {StorageError} `LAYER_UNKNOWN`
   */
  setNames(idOrName: string, names: readonly string[]): Promise<readonly string[]>;
  /** Like {@link setNames}, keeping the present names behind the new ones. */
  addNames(idOrName: string, names: readonly string[]): Promise<readonly string[]>;
  /** Like {@link setNames}, without these names; those that the object does not have are ignored. */
  removeNames(idOrName: string, names: readonly string[]): Promise<readonly string[]>;
  /** The opaque text of whoever made the object, or `''`. @throws {StorageError} `NOT_AN_ID` */
  metadata(idOrName: string): Promise<string>;
  /** Of an object in the writable store. @throws {StorageError} `NOT_AN_ID` */
  setMetadata(idOrName: string, metadata: string): Promise<void>;
  /**
   * Deletes a container with its layer and directories; or else an image, but none of its layers; or else a
   * layer. Nothing is refused: what uses the object is left without it. (The `delete` of a collection checks.)
   *
   * @throws {StorageError} `LAYER_UNKNOWN`
   */
  delete(idOrName: string): Promise<void>;
}

export class OpenStoreObjects implements StoreObjects {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async find(idOrName: string): Promise<FoundObject | undefined> {
    const found = await this.#locate(idOrName);
    return found === undefined ? undefined : { kind: found.kind, id: found.record.id };
  }

  async exists(idOrName: string): Promise<boolean> {
    return (await this.#locate(idOrName)) !== undefined;
  }

  async names(idOrName: string): Promise<readonly string[]> {
    return [...(await this.#get(idOrName, 'LAYER_UNKNOWN')).record.names];
  }

  async setNames(idOrName: string, names: readonly string[]): Promise<readonly string[]> {
    return await this.#rename(idOrName, () => names);
  }

  async addNames(idOrName: string, names: readonly string[]): Promise<readonly string[]> {
    return await this.#rename(idOrName, (present) => withAddedNames(present, names));
  }

  async removeNames(idOrName: string, names: readonly string[]): Promise<readonly string[]> {
    return await this.#rename(idOrName, (present) => withoutNames(present, names));
  }

  async metadata(idOrName: string): Promise<string> {
    return (await this.#get(idOrName, 'NOT_AN_ID')).record.metadata ?? '';
  }

  async setMetadata(idOrName: string, metadata: string): Promise<void> {
    const done = await this.#context.change(() => setObjectMetadata(this.#context, idOrName, metadata));
    if (!done) throw unknown('NOT_AN_ID', idOrName);
  }

  async delete(idOrName: string): Promise<void> {
    const done = await this.#context.change(() => deleteObject(this.#context, idOrName));
    if (!done) throw unknown('LAYER_UNKNOWN', idOrName);
  }

  async #rename(idOrName: string, change: NamesChange): Promise<readonly string[]> {
    const names = await this.#context.change(() => renameObject(this.#context, idOrName, change));
    if (names === undefined) throw unknown('LAYER_UNKNOWN', idOrName);
    return names;
  }

  async #get(idOrName: string, code: UnknownCode): Promise<LocatedObject> {
    const found = await this.#locate(idOrName);
    if (found === undefined) throw unknown(code, idOrName);
    return found;
  }

  async #locate(idOrName: string): Promise<LocatedObject | undefined> {
    const { layers, images, containers } = this.#context;
    return (
      (await locateIn(layers, 'layer', idOrName)) ??
      (await locateIn(images, 'image', idOrName)) ??
      (await locateIn(containers, 'container', idOrName))
    );
  }
}

interface LocatedObject {
  readonly kind: ObjectKind;
  readonly record: NamedRecord & { readonly metadata?: string | undefined };
}

async function locateIn<R extends LocatedObject['record']>(
  table: RecordTable<R>,
  kind: ObjectKind,
  idOrName: string,
): Promise<LocatedObject | undefined> {
  return await table.read((view: TableView<R>) => {
    const placed = view.locate(idOrName);
    return placed === undefined ? undefined : { kind, record: placed.record };
  });
}

/** Which of the two is upstream's choice for each method, and the words that its users know. */
type UnknownCode = 'LAYER_UNKNOWN' | 'NOT_AN_ID';

function unknown(code: UnknownCode, idOrName: string): StorageError {
  return new StorageError(code, `"${idOrName}": ${describeErrorCode(code)}`, {
    object: idOrName,
    hint: 'list what there is with "sediment layers", "images" or "containers"',
  });
}
