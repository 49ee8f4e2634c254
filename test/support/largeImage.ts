import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeTarHeader } from '@sediment/codec';

const MEMBER_BYTES = 16 * 1024 * 1024;
const FILE = { typeflag: '0'.charCodeAt(0), mode: 0o644, uid: 0, gid: 0, mtime: 0 };
const GZIP_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

/**
 * Writes an OCI layout with one image, `big:1`, of one layer with one file of so many MiB. It takes little room and time: the
 * layer consists of gzip members that are all the same.
 */
export function writeLargeImage(directory: string, mebibytes: number): void {
  const blobs = join(directory, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const put = (bytes: string) => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(blobs, hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  const { diffID, ...layer } = writeLayer(blobs, mebibytes);
  const rootfs = { type: 'layers', diff_ids: [diffID] };
  const config = put(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs }));
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = put(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: GZIP_LAYER, ...layer }],
    }),
  );
  const annotations = { 'org.opencontainers.image.ref.name': 'big:1' };
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(directory, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: type, ...manifest, annotations }] }),
  );
}

function writeLayer(blobs: string, mebibytes: number) {
  const path = join(blobs, 'layer');
  const diff = createHash('sha256');
  const blob = createHash('sha256');
  const add = (plain: Uint8Array, times = 1): void => {
    const member = gzipSync(plain, { level: 1 });
    for (let i = 0; i < times; i++) {
      diff.update(plain);
      blob.update(member);
      appendFileSync(path, member);
    }
  };
  const length = mebibytes * 1024 * 1024;
  add(encodeTarHeader({ name: Buffer.from('big'), size: length, ...FILE }));
  add(Buffer.alloc(MEMBER_BYTES, 'a line of text that comes again and again\n'), length / MEMBER_BYTES);
  add(Buffer.alloc(1024));
  const hex = blob.digest('hex');
  renameSync(path, join(blobs, hex));
  const { size } = statSync(join(blobs, hex));
  return { digest: `sha256:${hex}`, size, diffID: `sha256:${diff.digest('hex')}` };
}
