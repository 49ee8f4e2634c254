import { isStorageError } from '@sediment/core';
import { chooseImages } from '../sources/chooseImages.ts';
import type { ImageSource } from '../sources/imageSource.ts';
import { importOne } from './importOne.ts';
import type { ImportedImage, ImportPlan, ImportStore } from './importOptions.ts';

/** Imports what a plan chooses from an opened source, one image after the other. */
export async function importChosen(
  store: ImportStore,
  source: ImageSource,
  plan: ImportPlan,
): Promise<ImportedImage[]> {
  const images = chooseImages(source, plan);
  if (plan.names !== undefined && images.length > 1) {
    throw new TypeError(`option "names" is for one image, but ${source.location} holds ${images.length}`);
  }
  const imported: ImportedImage[] = [];
  for (const [i, image] of images.entries()) {
    try {
      imported.push(
        await importOne({ store, source, image, plan, place: { image: i, total: images.length } }),
      );
    } catch (error) {
      // Signatures and the like lie beside images in a layout; but an import of nothing has failed.
      const isLeftOut = images.length > 1 && isStorageError(error, 'ARTIFACT_UNSUPPORTED');
      const isNothingLeft = imported.length === 0 && i === images.length - 1;
      if (!isLeftOut || isNothingLeft) throw error;
      plan.onWarning?.({ code: 'ARTIFACT_SKIPPED', message: error.message, path: source.location });
    }
  }
  return imported;
}
