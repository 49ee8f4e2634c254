/** Several writers of one destination, and writers that come to an end in the middle. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type BundledProgram, bundleProgram } from '../../../../test/support/bundleProgram.ts';
import type {
  FileTransport,
  ImageDestination,
  OpenDestinationOptions,
} from '../../src/destinations/imageDestination.ts';
import { openImageDestination } from '../../src/destinations/openImageDestination.ts';
import { layerTar } from '../support/imageParts.ts';
import { dockerImage, putImage, unknownBlob, writeImage } from '../support/newImage.ts';
import { readBack } from '../support/readBack.ts';
import { scratch } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const ARCHIVES = ['docker-archive', 'oci-archive'] as const;
const DIRECTORIES = ['oci', 'dir'] as const;
const IMAGE = dockerImage([layerTar('etc/a')]);
const OTHER = dockerImage([layerTar('etc/b')]);

let program: BundledProgram;
let directory: string;
let path: string;

beforeAll(async () => {
  program = await bundleProgram(fileURLToPath(new URL('../support/destinationProgram.ts', import.meta.url)));
});
afterAll(() => program.remove());
beforeEach(() => {
  directory = scratch();
  path = join(directory, 'image');
});

function open(transport: FileTransport, options: OpenDestinationOptions = {}): Promise<ImageDestination> {
  return openImageDestination({ transport, path }, options);
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** A writer in a process of its own; `ready` once it has written all but its commit. */
function start(transport: FileTransport, how: string, name = 'example.com/other:1'): Child {
  const child = spawn(process.execPath, [program.path, transport, path, how, name], { stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function startHolding(transport: FileTransport, name?: string): Promise<Child> {
  const child = start(transport, 'hold', name);
  await once(child.stdout, 'data');
  return child;
}

async function end(child: Child): Promise<unknown> {
  child.stdin.end();
  // Who has less to do than this process may have ended already.
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  return child.exitCode;
}

async function kill(child: Child): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'close');
}

/** As if a minute had passed. */
function age(...paths: readonly string[]): void {
  const then = Date.now() / 1000 - 60;
  for (const each of paths) utimesSync(each, then, then);
}

const staged = () => readdirSync(path).filter((name) => /^\.sediment-[0-9a-f]+$/.test(name));

describe.each(ARCHIVES)('%s', (transport) => {
  it('has one writer: the other is told so, and the first one goes on', async () => {
    {
      await using first = await open(transport);
      await putImage(first, IMAGE);
      const started = Date.now();
      const error = await storageErrorOf(() => open(transport));
      expect(error).toMatchObject({ code: 'DESTINATION_BUSY', hint: expect.stringContaining('.lock') });
      expect(Date.now() - started).toBeGreaterThan(1900);
      await first.commit();
    }
    expect(await readBack(path)).toHaveLength(1);
    expect(readdirSync(directory)).toEqual(['image']);
  });

  it('of another process is busy, too', async () => {
    const child = await startHolding(transport);
    expect(await storageErrorOf(() => open(transport))).toMatchObject({ code: 'DESTINATION_BUSY' });
    expect(await end(child)).toBe(0);
    expect(await readBack(path)).toHaveLength(1);
    expect(readdirSync(directory)).toEqual(['image']);
  });

  it('is written one after the other when the first one ends soon', async () => {
    const first = await open(transport);
    const second = open(transport, { overwrite: true });
    await putImage(first, IMAGE);
    await first.commit();
    await first.close();
    await writeImage(second, OTHER);
    expect(await readBack(path)).toMatchObject([{ config: OTHER.config.toString() }]);
    expect(readdirSync(directory)).toEqual(['image']);
  });

  it('is not waited for longer than the caller wants', async () => {
    await using _ = await open(transport);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const { signal } = controller;
    expect(await storageErrorOf(() => open(transport, { signal }))).toMatchObject({ code: 'ABORTED' });
  });

  it('of a killed writer is taken over, with what that left', async () => {
    await kill(await startHolding(transport));
    const left = readdirSync(directory);
    expect(left.map((name) => name.replace(/[0-9a-f]{16}$/, '#')).sort()).toEqual([
      '.image.sediment-#',
      'image.lock',
    ]);
    age(join(directory, 'image.lock'));
    await writeImage(open(transport), IMAGE);
    expect(readdirSync(directory)).toEqual(['image']);
  });

  it('that lost its lock is not committed', async () => {
    await using first = await open(transport);
    await putImage(first, IMAGE);
    age(join(directory, 'image.lock'));
    await writeImage(open(transport), OTHER);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await storageErrorOf(() => first.commit())).toMatchObject({
      code: expect.stringMatching(/^DESTINATION_/),
    });
    await first.close();
    expect(await readBack(path)).toMatchObject([{ config: OTHER.config.toString() }]);
    expect(readdirSync(directory)).toEqual(['image']);
  });
});

describe('an archive', () => {
  it('of a writer that was just killed is waited for, and taken over', async () => {
    await kill(await startHolding('docker-archive'));
    await writeImage(open('docker-archive'), IMAGE);
    expect(readdirSync(directory)).toEqual(['image']);
  });
});

describe.each(DIRECTORIES)('%s', (transport) => {
  it('of a killed writer can be written, and what it left is removed by the next', async () => {
    await kill(await startHolding(transport));
    const [left] = staged() as [string];
    await writeImage(open(transport), IMAGE);
    expect(staged()).toEqual([left]);
    age(join(path, left, 'lock'), join(path, left));
    await writeImage(open(transport), IMAGE);
    expect(readdirSync(path).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(await readBack(`${transport}:${path}`)).toHaveLength(1);
  });

  it('does not take the staging of another writer for left over', async () => {
    const child = await startHolding(transport);
    const [theirs] = staged() as [string];
    age(join(path, theirs));
    await writeImage(open(transport), IMAGE);
    expect(staged()).toEqual([theirs]);
    expect(await end(child)).toBe(0);
    expect(readdirSync(path).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('is not made, if neither of two writers commits', async () => {
    const [first, second] = [await open(transport), await open(transport)];
    await first.close();
    expect(existsSync(path)).toBe(true);
    await second.close();
    expect(readdirSync(path)).toEqual([]);
  });

  it('is not committed by a writer that was taken for dead', async () => {
    await using destination = await open(transport);
    await putImage(destination, IMAGE);
    rmSync(join(path, staged()[0] as string, 'lock'), { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await storageErrorOf(() => destination.commit())).toMatchObject({ code: 'DESTINATION_BUSY' });
  });
});

describe('a layout', () => {
  it('loses no image of many writers at one time', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `name-${i}`);
    const children = names.slice(0, 3).map((name) => start('oci', 'commit', name));
    const writing = names
      .slice(3)
      .map((name) => writeImage(open('oci'), dockerImage([layerTar(name)]), { names: [name] }));
    await Promise.all(writing);
    expect(await Promise.all(children.map(end))).toEqual([0, 0, 0]);
    const images = await readBack(`oci:${path}`);
    expect(images.flatMap((image) => image.names).sort()).toEqual(names);
    expect(readdirSync(path).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
    // Eight writers take turns on one lock, and find out by waiting that it is free.
  }, 180_000);
});

describe('a dir image', () => {
  it('of several writers is that of one of them', async () => {
    const images = Array.from({ length: 6 }, (_, i) => dockerImage([layerTar(`layer ${i}`)]));
    await Promise.all(images.map((image) => writeImage(open('dir'), image)));
    const [written] = await readBack(`dir:${path}`);
    expect(images.map(({ config }) => config.toString('latin1'))).toContain(written?.config);
    expect(readdirSync(path)).toHaveLength(4);
  });
});

describe.each([...ARCHIVES, ...DIRECTORIES])('%s', (transport) => {
  it('leaves nothing when the process exits in the middle', async () => {
    expect(await end(start(transport, 'exit'))).toBe(7);
    const left = existsSync(path) ? readdirSync(path) : [];
    expect(left).toEqual([]);
    expect(readdirSync(directory).filter((name) => name !== 'image')).toEqual([]);
  });

  it('leaves nothing when a blob in the middle fails', async () => {
    mkdirSync(join(directory, 'beside'));
    writeFileSync(join(directory, 'beside/file'), 'content');
    {
      await using destination = await open(transport);
      const failing = async function* () {
        yield Buffer.alloc(100_000);
        throw new Error('cut');
      };
      const put = () => destination.putBlob({ ...unknownBlob(Buffer.alloc(0)), open: failing });
      await expect(put()).rejects.toThrow('cut');
    }
    expect(readdirSync(directory)).toEqual(['beside']);
    expect(readFileSync(join(directory, 'beside/file'), 'utf8')).toBe('content');
  });
});
