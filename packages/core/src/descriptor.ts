import type { Digest } from './digest.ts';

/** Platform of an image as an OCI index names it (image-spec, `image-index.md`). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** What a manifest says about a blob (image-spec, `descriptor.md`). `size` is in bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

/** How a blob is compressed, as seen from its first bytes; never from its media type. */
export type Compression = 'none' | 'gzip' | 'bzip2' | 'xz' | 'zstd';
