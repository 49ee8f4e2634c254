import type { ContainerInfo, ImageInfo, LayerInfo } from '@sediment/storage';

const created = '2026-11-21T11:00:00Z';

/** A layer as a store tells of it, with nothing special but the fields given. */
export function layerWith(fields: Partial<LayerInfo> & { readonly id: string }): LayerInfo {
  return {
    names: [],
    created,
    compression: 'none',
    uidSet: [],
    gidSet: [],
    flags: {},
    uidMap: [],
    gidMap: [],
    bigDataNames: [],
    readOnly: false,
    ...fields,
  };
}

/** An image without layers and documents, but for the fields given. */
export function imageWith(fields: Partial<ImageInfo> & { readonly id: string }): ImageInfo {
  return {
    names: [],
    namesHistory: [],
    digests: [],
    mappedLayers: [],
    bigData: [],
    created,
    flags: {},
    readOnly: false,
    ...fields,
  };
}

/** A container of no image, but for the fields given. */
export function containerWith(
  fields: Partial<ContainerInfo> & { readonly id: string; readonly layer: string },
): ContainerInfo {
  return {
    names: [],
    image: '',
    bigData: [],
    created,
    uidMap: [],
    gidMap: [],
    volatile: false,
    flags: {},
    ...fields,
  };
}
