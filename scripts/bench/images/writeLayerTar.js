// Writes the tar of one large layer to the standard output: writeLayerTar.js bytes|files COUNT FACTS
// FACTS: file that gets the digest and the size of the tar, as JSON
import { createHash } from 'node:crypto';
import { writeFileSync, writeSync } from 'node:fs';
import { tarChunks } from '../../lib/tarFile.js';
import { largeFiles, smallFiles } from './madeLayers.js';

const BUFFER_BYTES = 1 << 20;

const [kind, count, facts] = process.argv.slice(2);
if (kind === undefined || count === undefined || facts === undefined) throw new Error('too few arguments');
const entries = kind === 'bytes' ? largeFiles(Number(count)) : smallFiles(Number(count));
const hash = createHash('sha256');
let size = 0;
/** @type {Buffer[]} */
let pending = [];
let pendingBytes = 0;
for (const chunk of tarChunks(entries)) {
  pending.push(Buffer.from(chunk));
  pendingBytes += chunk.length;
  if (pendingBytes >= BUFFER_BYTES) flush();
}
flush();
writeFileSync(facts, JSON.stringify({ diffID: `sha256:${hash.digest('hex')}`, size }));

function flush() {
  const bytes = Buffer.concat(pending);
  hash.update(bytes);
  for (let done = 0; done < bytes.length; ) done += writeSync(1, bytes, done);
  size += bytes.length;
  pending = [];
  pendingBytes = 0;
}
