/**
 * Writes an image in a process of its own: `transport path how [name]`.
 *
 * - `commit`: to the end. - `hold`: all but the commit; prints `ready` and waits for its input to end, then
 * commits. - `exit`: ends the process in the middle. - `large`: a layer of 16 MiB, of no known size.
 *
 * Prints the code of an error to standard error and exits with 1.
 */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { isStorageError } from '@sediment/core';
import type { FileTransport, ImageDestination } from '../../src/destinations/imageDestination.ts';
import { openImageDestination } from '../../src/destinations/openImageDestination.ts';
import { layerTar } from './imageParts.ts';
import { dockerImage, putImage, unknownBlob } from './newImage.ts';

const [transport, path, how, name = 'example.com/app:1'] = process.argv.slice(2) as [
  FileTransport,
  string,
  string,
  string | undefined,
];

async function write(destination: ImageDestination): Promise<void> {
  if (how === 'large') {
    const piece = Buffer.alloc(65_536, 'x');
    const open = async function* () {
      for (let i = 0; i < 256; i++) yield piece;
    };
    await destination.putBlob({ ...unknownBlob(piece), open });
  }
  await putImage(destination, dockerImage([layerTar(`of ${name}`)]), { names: [name] });
  if (how === 'exit') process.exit(7);
  if (how === 'hold') {
    writeSync(1, 'ready\n');
    process.stdin.resume();
    await once(process.stdin, 'end');
  }
  await destination.commit();
}

try {
  await using destination = await openImageDestination({ transport, path });
  await write(destination);
} catch (error) {
  const code = isStorageError(error) ? `${error.code} ${error.facts.errnoCode}` : String(error);
  writeSync(2, `${code}\n`);
  process.exitCode = 1;
}
