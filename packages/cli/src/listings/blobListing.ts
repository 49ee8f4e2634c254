import type { BlobInfo, Store } from '@sediment/storage';
import { formatBytes } from '../output/bytes.ts';
import { shortId } from '../output/shortId.ts';
import { formatTable } from '../output/table.ts';
import { formatAge } from '../output/time.ts';

/** A kept blob as `sediment blobs list --format json` prints it. */
export interface BlobRow {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly mediaType: string | null;
  /** Of a layer: digest of its uncompressed tar, and the size of that in bytes. */
  readonly diffID: string | null;
  readonly diffSize: number | null;
  readonly compression: string | null;
  /** Ids of the images that own it. */
  readonly images: readonly string[];
  readonly pinned: boolean;
  /** RFC 3339. */
  readonly created: string;
  readonly lastUsed: string;
}

/** All kept blobs, the largest first, with names for the images that own them. */
export async function listBlobs(
  store: Pick<Store, 'blobs' | 'images'>,
): Promise<{ readonly rows: readonly BlobRow[]; readonly namesById: ReadonlyMap<string, string> }> {
  const blobs = await store.blobs.list();
  const named = (await store.images.list()).filter(({ names }) => names.length > 0);
  const rows = blobs.map(blobRow).sort((a, b) => b.size - a.size);
  return { rows, namesById: new Map(named.map(({ id, names }) => [id, names[0] as string])) };
}

function blobRow(blob: BlobInfo): BlobRow {
  const { digest, size, images, pinned, created, lastUsed } = blob;
  return {
    digest,
    size,
    mediaType: blob.mediaType ?? null,
    diffID: blob.diffID ?? null,
    diffSize: blob.diffSize ?? null,
    compression: blob.compression ?? null,
    images,
    pinned,
    created,
    lastUsed,
  };
}

export interface BlobsTableOptions {
  readonly namesById: ReadonlyMap<string, string>;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Shortens digests, and fits the lines into the width, if there is one. */
  readonly fit: { readonly width: number | undefined } | undefined;
}

export function blobsTable(rows: readonly BlobRow[], { namesById, now, fit }: BlobsTableOptions): string {
  const id = fit === undefined ? (text: string) => text : shortId;
  return formatTable(
    [
      { title: 'DIGEST' },
      { title: 'SIZE', align: 'right' },
      { title: 'KIND' },
      { title: 'PINNED' },
      { title: 'LAST USED' },
      { title: 'IMAGES', shrinkTo: 12 },
    ],
    rows.map((row) => [
      fit === undefined ? row.digest : `sha256:${id(row.digest)}`,
      formatBytes(row.size),
      kindOf(row),
      row.pinned ? 'yes' : 'no',
      formatAge(row.lastUsed, now),
      row.images.map((image) => namesById.get(image) ?? id(image)).join(', ') || '-',
    ]),
    fit?.width,
  );
}

/** What people call it: `layer (gzip)`, `config`, `manifest`, `index`. */
function kindOf({ mediaType, diffID, compression }: BlobRow): string {
  const type = mediaType ?? '';
  if (diffID !== null || /[.]layer[.]|rootfs[.]/.test(type)) {
    return compression === null || compression === 'none' ? 'layer' : `layer (${compression})`;
  }
  if (/[.]manifest[.]list[.]|[.]index[.]/.test(type)) return 'index';
  if (type.includes('.manifest.')) return 'manifest';
  return /[.]config[.]|container[.]image[.]/.test(type) ? 'config' : '-';
}
