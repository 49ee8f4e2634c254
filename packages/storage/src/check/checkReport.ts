import type { ErrorCode } from '@sediment/core';

/** What can be wrong with a store. API: programs test the kind, texts are for people. */
export const FINDING_KINDS = {
  'layer-data-missing': 'a big data item of a layer has no file',
  'layer-data-unreadable': 'a big data item of a layer cannot be read',
  'layer-content-unreadable': 'the tar of a layer cannot be made again',
  'layer-digest': 'the tar of a layer, made again, has another digest',
  'layer-size': 'the tar of a layer, made again, has another size',
  'layer-unmountable': 'a layer cannot be mounted',
  'layer-modified': 'the tree of a layer is not what the tars of the layer and those below it say',
  'layer-parent-missing': 'the parent of a layer is not in the store',
  'layer-unreferenced': 'no image and no container uses a layer',
  'layer-unaccounted': 'the driver has a layer without a record',
  'image-layer-missing': 'a layer of an image is not in the store',
  'image-data-missing': 'a document of an image has no file',
  'image-data-size': 'a document of an image has another size than recorded',
  'image-data-unreadable': 'a document of an image cannot be read',
  'container-image-missing': 'the image of a container is not in the store',
  'container-layer-missing': 'the layer of a container is not in the store',
  'container-data-missing': 'a big data item of a container has no file',
  'container-data-size': 'a big data item of a container has another size than recorded',
  'container-data-unreadable': 'a big data item of a container cannot be read',
} as const satisfies Record<string, string>;

export type FindingKind = keyof typeof FINDING_KINDS;

/** Facts about a finding; a fact that does not apply is absent. */
export interface FindingFacts {
  /** Name of a big data item. */
  readonly item?: string;
  /** The file, or the path inside the layer, that is concerned. */
  readonly path?: string;
  /** `layer-modified`: what differs, such as `+/etc/new` or `/etc/passwd(size:5￫7)`. */
  readonly difference?: string;
  readonly expected?: string | number;
  readonly actual?: string | number;
  /** The object that should be there: a parent, a layer, an image. */
  readonly missing?: string;
  /** Code of the error behind `…-unreadable` and `layer-unmountable`. */
  readonly code?: ErrorCode;
}

/** One thing that is wrong. */
export interface CheckFinding {
  readonly kind: FindingKind;
  /** One line for people, in the words of containers/storage. */
  readonly text: string;
  /** Where the fault lies. Images repeat the findings of their layers, containers those of their image. */
  readonly object: { readonly kind: 'layer' | 'image' | 'container'; readonly id: string };
  readonly facts: FindingFacts;
  /** Set when containers/storage would not list this finding under this object. */
  readonly ours?: true;
}

/** An object of the store with all that is wrong with it; never without a finding. */
export interface DamagedObject {
  readonly id: string;
  readonly findings: readonly CheckFinding[];
}

/** What was found, as plain data. All lists are empty in a sound store. */
export interface CheckReport {
  readonly layers: readonly DamagedObject[];
  /** Layers of additional stores, which are only read. */
  readonly readOnlyLayers: readonly DamagedObject[];
  readonly images: readonly DamagedObject[];
  readonly readOnlyImages: readonly DamagedObject[];
  readonly containers: readonly DamagedObject[];
  /** How many objects were looked at. */
  readonly checked: { readonly layers: number; readonly images: number; readonly containers: number };
  /**
   * Checks that were left out: `contents` when a quick check was asked for; `mountable` and `contents`
   * when the store is open as a snapshot, where nothing is mounted.
   */
  readonly skipped: readonly ('mountable' | 'contents')[];
}

/** Progress of a check; the layers are what takes the time. */
export interface CheckEvent {
  readonly type: 'layer-begin' | 'layer-end';
  readonly layer: string;
  /** Number of the layer, from 1, and how many there are. */
  readonly index: number;
  readonly total: number;
}

export interface CheckOptions {
  /** Leave out comparing each mounted tree with the tars, the longest part. */
  readonly quick?: boolean;
  /**
   * How old a layer may be that nothing uses, in milliseconds; 24 hours if absent. A layer of an image
   * that is just being made is used by nothing, either.
   */
  readonly maxUnreferencedLayerAge?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (event: CheckEvent) => void;
}

/** Whether nothing is wrong. */
export function isSound(report: CheckReport): boolean {
  const { layers, readOnlyLayers, images, readOnlyImages, containers } = report;
  return [layers, readOnlyLayers, images, readOnlyImages, containers].every((list) => list.length === 0);
}
