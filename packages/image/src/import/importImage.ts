import type { Store } from '@sediment/storage';
import type { SpoolPlace } from '../archives/spoolFile.ts';
import type { SourceReference } from '../references/sourceReference.ts';
import { withReferencedStore } from '../references/withReferencedStore.ts';
import type { ImageSource } from '../sources/imageSource.ts';
import { openImageSource, resolveSourceReference } from '../sources/openImageSource.ts';
import { importChosen } from './importChosen.ts';
import {
  type ImportAllOptions,
  type ImportedImage,
  type ImportOptions,
  type ImportStore,
  planImport,
} from './importOptions.ts';

/** What to import from: a reference (`oci-archive:app.tar`, or just a path), or an opened source. */
export type ImportFrom = string | SourceReference | ImageSource;

/**
 * Imports one image into a store: the one that the reference or `select` chooses, else the only one.
 *
 * Everything is verified: documents and layers have the digests and sizes that the source declares,
 * and layers have the DiffIDs of the config. Layers that the store has are not read again.
 *
 * @param from an opened source stays open, and its owner closes it
 * @throws {StorageError} as `openImageSource` and `SourceImage.open`; `IMAGE_AMBIGUOUS`,
 *   `IMAGE_NOT_IN_SOURCE`, `REFERENCE_INVALID`, `IMAGE_CONFLICT`, `DIFF_ID_MISMATCH` and the other codes
 *   of unpacking; `ABORTED`. No image was then added or changed.
 */
export async function importImage(
  store: ImportStore,
  from: ImportFrom,
  options: ImportOptions = {},
): Promise<ImportedImage> {
  if ('all' in options && options.all === true) throw new TypeError('option "all" is for importImages');
  const [image] = await importImages(store, from, options);
  return image as ImportedImage;
}

/**
 * As {@link importImage}; with `all`, imports every image of the source, one after the other. An error
 * then leaves the images before it in the store.
 */
export async function importImages(
  store: ImportStore,
  from: ImportFrom,
  options: ImportAllOptions = {},
): Promise<readonly ImportedImage[]> {
  if (isOpened(from)) return await importChosen(store, from, planImport(options));
  const reference = typeof from === 'string' ? resolveSourceReference(from) : from;
  const plan = planImport(options, 'select' in reference ? reference.select : undefined);
  const { signal, platform, onWarning, spoolDirectory = placeOf(store) } = plan;
  const importFrom = async (other?: Store) => {
    await using source = await openImageSource(reference, {
      ...(signal === undefined ? {} : { signal }),
      ...(spoolDirectory === undefined ? {} : { spoolDirectory }),
      ...(platform === undefined ? {} : { platform }),
      ...(other === undefined ? {} : { store: other }),
    });
    return await importChosen(store, source, plan);
  };
  if (reference.transport !== 'containers-storage') return await importFrom();
  return await withReferencedStore(
    reference,
    { store: isStore(store) ? store : undefined, onWarning },
    importFrom,
  );
}

function isStore(store: ImportStore): store is Store {
  return 'graphRoot' in store;
}

/** Temporary copies lie where the layers will: there must be room for them anyway. */
function placeOf(store: ImportStore): SpoolPlace | undefined {
  return store.openTemporaryFile?.bind(store);
}

function isOpened(from: ImportFrom): from is ImageSource {
  return typeof from === 'object' && 'images' in from;
}
