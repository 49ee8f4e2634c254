import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { sha256 } from '../imageArchive.ts';
import { skopeo } from '../peers.ts';
import { makeScratchDirectory, removeScratchDirectory, type StoreRoot } from '../storeRoot.ts';

/** What skopeo finds at a reference: one image, all of whose blobs it read and verified. */
export interface ImageFacts {
  /** Digest and exact text of the manifest. */
  digest: string;
  manifest: string;
  manifestType: string;
  annotations: Record<string, string>;
  /** The exact text of the config, and what the image's id is made of. */
  config: string;
  configDigest: string;
  /** As the manifest has them, base first. */
  layers: Array<{ mediaType: string; digest: string; size: number }>;
  /** Of the uncompressed tars, base first. */
  diffIDs: string[];
  /** How the layers are compressed, whatever the manifest says. */
  compressions: string[];
}

/** Has skopeo read an image from a reference. */
export async function readImage(store: StoreRoot, reference: string): Promise<ImageFacts> {
  const directory = makeScratchDirectory('read');
  const inspect = async (...options: string[]): Promise<string> =>
    (await skopeo(store, ['inspect', '--raw', ...options, reference])).stdout;
  try {
    const copied = skopeo(store, ['copy', '--quiet', '--remove-signatures', reference, `dir:${directory}`]);
    const [manifest, config] = await Promise.all([inspect(), inspect('--config'), copied]);
    const { mediaType, layers = [], annotations = {} } = JSON.parse(manifest);
    const copy: ManifestText = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8'));
    const blobs = (copy.layers ?? []).map(({ digest }) =>
      readFileSync(join(directory, digest.replace('sha256:', ''))),
    );
    return {
      digest: `sha256:${sha256(Buffer.from(manifest))}`,
      manifest,
      manifestType: mediaType ?? 'none',
      annotations,
      config,
      configDigest: `sha256:${sha256(Buffer.from(config))}`,
      layers: (layers as Descriptor[]).map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
      diffIDs: blobs.map((blob) => `sha256:${sha256(plain(blob))}`),
      compressions: blobs.map(compressionOf),
    };
  } finally {
    removeScratchDirectory(directory);
  }
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

interface ManifestText {
  layers?: Descriptor[];
}

export function compressionOf(blob: Buffer): string {
  if (blob.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))) return 'gzip';
  return blob.subarray(0, 4).equals(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])) ? 'zstd' : 'none';
}

function plain(blob: Buffer): Buffer {
  const compression = compressionOf(blob);
  if (compression === 'gzip') return gunzipSync(blob);
  if (compression === 'none') return blob;
  return execFileSync('zstd', ['--decompress', '--stdout'], { input: blob, maxBuffer: 2 ** 30 });
}
