import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from '@sediment/core';
import type { BlobRange, ChainLayer } from '../../src/index.ts';
import { tarOf } from './tempStore.ts';

/** Files of a layer: path → content; a path that ends with `/` is a directory. */
export type LayerFiles = Readonly<Record<string, string>>;

/** A layer whose bytes lie in a file. */
export type RangeLayer = ChainLayer & { readonly blob: BlobRange };

/** A layer made of files, as a chain entry whose blob is a file of its own in `directory`. */
export function layerOf(
  directory: string,
  name: string,
  files: LayerFiles,
  options: { gzip?: boolean } = {},
): RangeLayer {
  const tree = join(directory, name);
  mkdirSync(tree, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    const target = join(tree, path);
    mkdirSync(path.endsWith('/') ? target : dirname(target), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(target, content);
  }
  chmodSync(tree, 0o755);
  const plain = tarOf(tree);
  const bytes = readFileSync(plain);
  if (options.gzip !== true) return chainLayer(name, plain, bytes, digestOf(bytes));
  const path = `${plain}.gz`;
  const compressed = gzipSync(bytes);
  writeFileSync(path, compressed);
  return chainLayer(name, path, compressed, digestOf(bytes));
}

function chainLayer(name: string, path: string, blob: Uint8Array, diffID: Digest): RangeLayer {
  return {
    what: `layer ${name}`,
    blob: { path, offset: 0, length: blob.length },
    digest: digestOf(blob),
    size: blob.length,
    diffID,
  };
}

/** Hash of everything below a directory: names, types, modes, owners, content, times (not of directories). */
export function treeHash(directory: string): string {
  const script = `cd "$1" && { find . -type d -printf '%P %y %m %U:%G\\n'; find . ! -type d -printf '%P %y %m %U:%G %s %T@ %l\\n'; } | LC_ALL=C sort && find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum`;
  return digestOf(execFileSync('sh', ['-c', script, 'sh', directory], { maxBuffer: 1 << 28 }));
}
