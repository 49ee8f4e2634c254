import type { IdMapRequest } from '../idmaps/resolveIdMaps.ts';

/** A document to be kept with a layer. */
export interface LayerItem {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A layer to be made. Everything is optional: without anything it is an empty base layer that can be written to. */
export interface CreateLayerRequest extends IdMapRequest {
  /** Taken as it is; random if absent or empty. */
  readonly id?: string;
  /** By id, name or unique id prefix, in the store or in an additional one. */
  readonly parent?: string;
  /** Names that no other layer has. */
  readonly names?: readonly string[];
  /** SELinux label for mounting. */
  readonly mountLabel?: string;
  /** Whether the driver makes a layer for a container (quotas apply) or for an image. Default true. */
  readonly readWrite?: boolean;
  /** Options of the driver for this layer: `size`, `inodes`. */
  readonly storageOptions?: Readonly<Record<string, string>>;
  /** Opaque text. */
  readonly metadata?: string;
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly bigData?: readonly LayerItem[];
  /** A layer of which this one becomes a copy with other owners, by id. */
  readonly template?: string;
  /** Keep the record where a restart of the host may lose it. */
  readonly volatile?: boolean;
}
