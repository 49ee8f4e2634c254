/** Archives that go down a pipe, or to standard output. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOf } from '@sediment/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BundledProgram, bundleProgram } from '../../../../test/support/bundleProgram.ts';
import type { ImageDestination, OpenDestinationOptions } from '../../src/destinations/imageDestination.ts';
import { openImageDestination } from '../../src/destinations/openImageDestination.ts';
import { layerTar } from '../support/imageParts.ts';
import { blobOf, dockerImage, putImage, unknownBlob, writeImage } from '../support/newImage.ts';
import { readBack } from '../support/readBack.ts';
import { scratch } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const TRANSPORTS = ['docker-archive', 'oci-archive'] as const;
const LAYERS = [layerTar('etc/a'), layerTar('etc/b', 'b'.repeat(300_000))] as const;
const IMAGE = dockerImage(LAYERS);
const NAMES = { names: ['example.com/app:1'] };

let directory: string;
let fifo: string;
let spoolDirectory: string;

beforeEach(() => {
  directory = scratch();
  spoolDirectory = scratch();
  fifo = join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
});

/** Copies the pipe to a file, and returns that once the pipe has ended. */
async function drain(): Promise<string> {
  const copy = join(directory, 'copy');
  await once(spawn('sh', ['-c', `cat < '${fifo}' > '${copy}'`]), 'close');
  return copy;
}

describe.each(TRANSPORTS)('%s down a pipe', (transport) => {
  const open = (options: OpenDestinationOptions = {}): Promise<ImageDestination> =>
    openImageDestination({ transport, path: fifo }, { spoolDirectory, ...options });

  async function asFile(): Promise<Buffer> {
    const path = join(scratch(), 'image.tar');
    await writeImage(openImageDestination({ transport, path }), IMAGE, NAMES);
    return readFileSync(path);
  }

  it('has the bytes of the file', async () => {
    const drained = drain();
    await writeImage(open(), IMAGE, NAMES);
    expect(readFileSync(await drained).equals(await asFile())).toBe(true);
    expect(statSync(fifo).isFIFO()).toBe(true);
  });

  it('stages what must be known first, in order, and leaves nothing there', async () => {
    const drained = drain();
    {
      await using destination = await open();
      await Promise.all(LAYERS.map((layer) => destination.putBlob(unknownBlob(layer))));
      await putImage(destination, IMAGE, NAMES);
      await destination.commit();
    }
    expect(readFileSync(await drained).equals(await asFile())).toBe(true);
    expect(readdirSync(spoolDirectory)).toEqual([]);
  });

  it('is written no faster than it is read', async () => {
    const opening = open();
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    await using destination = await opening;
    const piece = Buffer.alloc(65_536);
    let pieces = 0;
    const counting = async function* () {
      for (; pieces < 64; pieces++) yield piece;
    };
    const bytes = Buffer.alloc(64 * piece.length);
    const putting = destination.putBlob(blobOf(bytes, { open: counting }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const ahead = pieces;
    expect(ahead).toBeLessThan(6);
    const buffer = Buffer.alloc(1024 * 1024);
    for (let done = 0; done < bytes.length; ) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      done += readSome(reader, buffer);
    }
    await putting;
    expect(pieces).toBe(64);
  });

  it('whose reader goes away fails as that, and cannot be continued', async () => {
    const opening = open();
    const reader = await openFile(fifo);
    await using destination = await opening;
    await reader.read(Buffer.alloc(10), 0, 0);
    await reader.close();
    const error = await storageErrorOf(() => putImage(destination, IMAGE));
    expect(error).toMatchObject({
      code: 'IO',
      facts: { errnoCode: 'EPIPE' },
      hint: expect.stringContaining('the program that reads the archive'),
    });
    const again = await storageErrorOf(() => destination.putBlob(blobOf(layerTar('more'))));
    expect(again).toMatchObject({ code: 'IO', message: expect.stringContaining('incomplete') });
    expect(await storageErrorOf(() => destination.commit())).toMatchObject({ code: 'IO' });
  });

  it('is incomplete once a blob was wrong, which the reader sees', async () => {
    const drained = drain();
    {
      await using destination = await open();
      const wrong = blobOf(LAYERS[1], { digest: digestOf('other') });
      expect(await storageErrorOf(() => destination.putBlob(wrong))).toMatchObject({
        code: 'DIGEST_MISMATCH',
      });
      const right = () => destination.putBlob(blobOf(LAYERS[1]));
      expect(await storageErrorOf(right)).toMatchObject({ code: 'IO' });
    }
    await expect(readBack(`${transport}:${await drained}`)).rejects.toThrow();
  });

  it('goes on after a wrong blob that was only staged', async () => {
    const drained = drain();
    {
      await using destination = await open();
      const wrong = { ...unknownBlob(LAYERS[1]), digest: digestOf('other') };
      expect(await storageErrorOf(() => destination.putBlob(wrong))).toMatchObject({
        code: 'DIGEST_MISMATCH',
      });
      await putImage(destination, IMAGE, NAMES);
      await destination.commit();
    }
    expect(readFileSync(await drained).equals(await asFile())).toBe(true);
  });

  it('can be aborted while it has no reader', async () => {
    const { signal, abort } = abortable();
    setTimeout(abort, 50);
    expect(await storageErrorOf(() => open({ signal }))).toMatchObject({ code: 'ABORTED' });
  });

  it('can be aborted while nobody reads', async () => {
    const { signal, abort } = abortable();
    const opening = open({ signal });
    const reader = await openFile(fifo);
    await using destination = await opening;
    setTimeout(abort, 100);
    expect(await storageErrorOf(() => putImage(destination, IMAGE))).toMatchObject({ code: 'ABORTED' });
    await reader.close();
  });
});

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

function readSome(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}

describe('a device', () => {
  it('can be written to', async () => {
    await writeImage(openImageDestination({ transport: 'oci-archive', path: '/dev/null' }), IMAGE);
  });

  it('that is full says so', async () => {
    await using destination = await openImageDestination({ transport: 'oci-archive', path: '/dev/full' });
    expect(await storageErrorOf(() => putImage(destination, IMAGE))).toMatchObject({ code: 'NO_SPACE' });
  });
});

describe('standard output', () => {
  let program: BundledProgram;

  beforeAll(async () => {
    program = await bundleProgram(
      fileURLToPath(new URL('../support/destinationProgram.ts', import.meta.url)),
    );
  });
  afterAll(() => program.remove());

  function run(path: string, how: string, rest: string): string {
    const command = `"$0" "$1" docker-archive ${path} ${how} ${rest}`;
    const env = { ...process.env, TMPDIR: spoolDirectory };
    return execFileSync('sh', ['-c', command, process.execPath, program.path], {
      env,
      cwd: directory,
    }).toString();
  }

  it.each([
    ['a pipe', '| cat > out'],
    ['a slow pipe', '| (sleep 0.3; cat) > out'],
    ['a file', '> out'],
  ])('that is %s gets the archive', async (_, rest) => {
    for (const path of ['-', '/dev/stdout']) {
      run(path, 'large', rest);
      const size = 16 * 1024 * 1024;
      expect(statSync(join(directory, 'out')).size).toBeGreaterThan(size);
      const [image] = await readBack(join(directory, 'out'));
      expect(image?.names).toEqual(['example.com/app:1']);
    }
    expect(readdirSync(spoolDirectory)).toEqual([]);
  });

  it('whose reader goes away is an error', () => {
    expect(run('-', 'large', '2> error | head -c 10000 > out; cat error')).toBe('IO EPIPE\n');
  });

  it('that is a terminal is refused', () => {
    // script(1) gives the program a terminal.
    const command = '"$NODE" "$PROGRAM" docker-archive - commit 2> error; cat error';
    const env = { ...process.env, NODE: process.execPath, PROGRAM: program.path };
    const shown = execFileSync('script', ['-qec', command, '/dev/null'], {
      ...{ env, cwd: directory, encoding: 'utf8' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(shown.trim()).toBe('DESTINATION_INVALID undefined');
  });

  it('on a full disk is called that', () => {
    expect(run('-', 'large', '2> error > /dev/full; cat error')).toBe('NO_SPACE ENOSPC\n');
  });
});
