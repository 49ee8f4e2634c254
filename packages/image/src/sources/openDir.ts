import { join } from 'node:path';
import { StorageError } from '@sediment/core';
import { readDocumentBytes } from '../archives/fileBytes.ts';
import { checkDirVersion } from '../documents/dirVersion.ts';
import { DOCUMENT_LIMIT } from '../documents/limits.ts';
import { dirFiles } from './dirFiles.ts';
import type { ImageSource } from './imageSource.ts';
import { manifestImage } from './manifestImage.ts';
import { type ManifestText, manifestText } from './manifestText.ts';
import { regularFile } from './regularFile.ts';

const MANIFEST_FILE = 'manifest.json';
const VERSION_FILE = 'version';

/**
 * Opens a directory of skopeo's `dir` form: one image, without a name, in plain files. A missing `version` file is
 * fine, as everywhere.
 *
 * @throws {StorageError} `SOURCE_UNRECOGNIZED` without a `manifest.json`, or with that of an unpacked
 *   docker-archive; `MANIFEST_INVALID`, `DOCUMENT_TOO_LARGE`, `ARCHIVE_INVALID`, `NOT_SUPPORTED`
 */
export async function openDir(location: string): Promise<ImageSource> {
  await readVersion(location);
  const top = await readManifestFile(location);
  const files = dirFiles(location);
  const readTop = async (): Promise<ManifestText> => ({ ...top, signatures: await files.signatures() });
  const close = async () => undefined;
  return {
    transport: 'dir',
    location,
    images: [
      { positions: [0], names: [], aliases: [], digest: top.digest, ...manifestImage(files, readTop) },
    ],
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function readVersion(location: string): Promise<void> {
  const path = join(location, VERSION_FILE);
  const blob = await regularFile(path);
  if (blob === undefined) return;
  const head = { ...blob, length: Math.min(blob.length, 256) };
  const bytes = await readDocumentBytes({ blob: head, limit: 256, what: path, path });
  checkDirVersion(bytes.toString(), path);
}

async function readManifestFile(location: string): Promise<ManifestText> {
  const path = join(location, MANIFEST_FILE);
  const blob = await regularFile(path);
  if (blob === undefined) {
    throw new StorageError(
      'SOURCE_UNRECOGNIZED',
      `${location} is no image directory: it has no ${MANIFEST_FILE}`,
      { path: location, hint: 'give a directory made by "skopeo copy … dir:…"' },
    );
  }
  const what = `manifest of ${location}`;
  const bytes = await readDocumentBytes({ blob, limit: DOCUMENT_LIMIT, what, path });
  if (bytes.toString('utf8', 0, 64).trimStart().startsWith('[')) {
    throw new StorageError(
      'SOURCE_UNRECOGNIZED',
      `${location} is no image directory: its ${MANIFEST_FILE} is that of an unpacked docker-archive`,
      { path, hint: `pack it again, with "tar -C ${location} -cf image.tar .", and read that file` },
    );
  }
  return manifestText({ bytes, what, path, code: 'MANIFEST_INVALID' }, '');
}
