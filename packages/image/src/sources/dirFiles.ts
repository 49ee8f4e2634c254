import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestAlgorithm, digestHex, errnoCode, wrapSystemError } from '@sediment/core';
import { readDocumentBytes } from '../archives/fileBytes.ts';
import { SIGNATURE_LIMIT } from '../documents/limits.ts';
import type { BlobFiles, BlobKind } from './blobFiles.ts';
import { regularFile } from './regularFile.ts';

/**
 * The files of skopeo's `dir` form: blobs and manifests of instances under the hex of their digests, signatures
 * numbered from 1. Source: upstream's `image/directory/directory_transport.go`.
 *
 * A digest of another algorithm than sha256 is looked for with its algorithm in front (since version 1.2), and
 * without, as older releases wrote it.
 */
export function dirFiles(location: string): BlobFiles {
  const files: BlobFiles = {
    location,
    find: async (digest, kind) => {
      for (const name of fileNames(digest, kind)) {
        const found = await regularFile(join(location, name));
        if (found !== undefined) return found;
      }
      return undefined;
    },
    describe: (digest, kind) => join(location, fileNames(digest, kind)[0] as string),
    signatures: async (instance) => await readSignatures(location, instance),
  };
  return files;
}

function fileNames(digest: Digest, kind: BlobKind): readonly string[] {
  const suffix = kind === 'instance' ? '.manifest.json' : '';
  const plain = `${digestHex(digest)}${suffix}`;
  return digestAlgorithm(digest) === 'sha256' ? [plain] : [`${digestAlgorithm(digest)}-${plain}`, plain];
}

/** The directory is listed once: most images have no signature. */
async function readSignatures(location: string, instance: Digest | undefined): Promise<Uint8Array[]> {
  const present = new Set(await namesIn(location));
  const prefixes = instance === undefined ? [''] : fileNames(instance, 'blob').map((name) => `${name}.`);
  const signatures: Uint8Array[] = [];
  for (const prefix of prefixes) {
    for (let i = 1; present.has(`${prefix}signature-${i}`); i++) {
      const path = join(location, `${prefix}signature-${i}`);
      const blob = await regularFile(path);
      if (blob === undefined) break;
      signatures.push(
        await readDocumentBytes({
          blob,
          limit: SIGNATURE_LIMIT,
          what: `signature ${i} of ${location}`,
          path,
        }),
      );
    }
  }
  return signatures;
}

async function namesIn(location: string): Promise<readonly string[]> {
  try {
    return await readdir(location);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw wrapSystemError(error, `reading ${location}`, 'IO', { path: location });
  }
}
