import type { Compression } from '@sediment/core';

/** What containers/image calls the ways of compression (`pkg/compression/types`). */
const NAMES: Readonly<Record<Compression, string>> = {
  none: 'uncompressed',
  gzip: 'gzip',
  bzip2: 'bzip2',
  xz: 'Xz',
  zstd: 'zstd',
};

export function compressorName(compression: Compression): string {
  return NAMES[compression];
}

/** Undefined for a name that is none of these. */
export function compressionNamed(name: string): Compression | undefined {
  return (Object.keys(NAMES) as Compression[]).find((compression) => NAMES[compression] === name);
}
