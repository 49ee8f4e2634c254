import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readAt } from '../../src/archives/fileBytes.ts';
import { openArchiveFile } from '../../src/archives/openArchiveFile.ts';
import { scratch, scratchFile } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const PLAIN = Buffer.concat([Buffer.alloc(700_000, 'plain '), Buffer.from('end')]);
const COMPRESSORS = { gzip: 'gzip', bzip2: 'bzip2', xz: 'xz', zstd: 'zstd' } as const;

function compress(program: string): Buffer {
  return execFileSync(program, ['-c'], { input: PLAIN, maxBuffer: 2 ** 24 });
}

function hasProgram(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

describe('a plain file', () => {
  it('is read in place', async () => {
    const path = scratchFile(PLAIN);
    const spoolDirectory = scratch();
    const archive = await openArchiveFile(path, { spoolDirectory });
    expect(archive).toMatchObject({ path, location: path, size: PLAIN.length, compression: 'none' });
    expect(readdirSync(spoolDirectory)).toEqual([]);
    await archive.close();
  });
});

describe.each(Object.entries(COMPRESSORS))('a file compressed with %s', (compression, program) => {
  it.skipIf(!hasProgram(program))(`is spooled decompressed (needs the program ${program})`, async () => {
    const location = scratchFile(compress(program));
    const spoolDirectory = scratch();
    const archive = await openArchiveFile(location, { spoolDirectory });
    expect(archive).toMatchObject({ location, compression, size: PLAIN.length });
    expect(PLAIN.equals(await readAt(archive.file, 0, archive.size))).toBe(true);
    // By path as well: that is how the threads that unpack layers read it.
    expect(PLAIN.equals(readFileSync(archive.path))).toBe(true);
    expect(statSync(archive.path).mode & 0o777).toBe(0o600);
    await archive.close();
    expect(readdirSync(spoolDirectory)).toEqual([]);
  });
});

describe('the temporary copy', () => {
  it('has no name, so that a killed process leaves nothing behind', async () => {
    const spoolDirectory = scratch();
    const archive = await openArchiveFile(scratchFile(gzipSync(PLAIN)), { spoolDirectory });
    expect(readdirSync(spoolDirectory)).toEqual([]);
    await archive.close();
  });

  it('goes to TMPDIR by default', async () => {
    const before = process.env.TMPDIR;
    process.env.TMPDIR = join(scratch(), 'missing');
    try {
      const error = await storageErrorOf(() => openArchiveFile(scratchFile(gzipSync(PLAIN))));
      expect(error).toMatchObject({ code: 'IO', facts: { path: process.env.TMPDIR, errnoCode: 'ENOENT' } });
      expect(error.hint).toContain('TMPDIR');
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  });

  it('is removed when the compressed data are damaged', async () => {
    const spoolDirectory = scratch();
    const bytes = gzipSync(PLAIN);
    for (const damaged of [
      bytes.subarray(0, bytes.length - 10),
      Buffer.concat([bytes, Buffer.from('junk')]),
    ]) {
      const location = scratchFile(damaged);
      const error = await storageErrorOf(() => openArchiveFile(location, { spoolDirectory }));
      expect(error).toMatchObject({ code: 'COMPRESSION_INVALID', facts: { path: location } });
      expect(error.message).toContain(location);
      expect(error.hint).toBeTruthy();
      expect(readdirSync(spoolDirectory)).toEqual([]);
    }
  });
});

describe('a pipe', () => {
  it.each([
    ['plain', PLAIN, 'none'],
    ['compressed', gzipSync(PLAIN), 'gzip'],
  ])('is spooled (%s)', async (_, bytes, compression) => {
    const location = join(scratch(), 'pipe');
    execFileSync('mkfifo', [location]);
    const source = scratchFile(bytes);
    const writer = spawn('sh', ['-c', 'cat "$1" > "$2"', 'sh', source, location]);
    const archive = await openArchiveFile(location, { spoolDirectory: scratch() });
    expect(archive).toMatchObject({ location, compression, size: PLAIN.length });
    expect(PLAIN.equals(await readAt(archive.file, 0, archive.size))).toBe(true);
    await archive.close();
    writer.kill();
  });

  it('that says nothing can be aborted', async () => {
    const location = join(scratch(), 'pipe');
    execFileSync('mkfifo', [location]);
    const writer = spawn('sh', ['-c', 'exec sleep 60 > "$1"', 'sh', location]);
    const spoolDirectory = scratch();
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('enough')), 300);
    try {
      const error = await storageErrorOf(() =>
        openArchiveFile(location, { spoolDirectory, signal: abort.signal }),
      );
      expect(error).toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } });
      expect(readdirSync(spoolDirectory)).toEqual([]);
    } finally {
      writer.kill();
    }
  });
});

describe('what cannot be opened', () => {
  it('a missing file', async () => {
    const file = scratchFile('x');
    for (const path of [join(scratch(), 'none.tar'), join(file, 'below-a-file')]) {
      const error = await storageErrorOf(() => openArchiveFile(path));
      expect(error).toMatchObject({ code: 'SOURCE_NOT_FOUND', facts: { path } });
      expect(error.message).toContain(path);
      expect(error.hint).toBeTruthy();
    }
  });

  it('a directory', async () => {
    const path = scratch();
    const error = await storageErrorOf(() => openArchiveFile(path));
    expect(error).toMatchObject({ code: 'SOURCE_UNRECOGNIZED', facts: { path } });
    expect(error.hint).toContain(`oci:${path}`);
  });

  it('leaves no descriptor open', async () => {
    const count = () => readdirSync('/proc/self/fd').length;
    const spoolDirectory = scratch();
    const gz = scratchFile(gzipSync(PLAIN));
    const bad = scratchFile(gzipSync(PLAIN).subarray(0, 900));
    await (await openArchiveFile(gz, { spoolDirectory })).close();
    const before = count();
    for (let i = 0; i < 5; i++) {
      await (await openArchiveFile(gz, { spoolDirectory })).close();
      await storageErrorOf(() => openArchiveFile(bad, { spoolDirectory }));
      await storageErrorOf(() => openArchiveFile(spoolDirectory));
    }
    writeFileSync(join(spoolDirectory, 'x'), '');
    expect(count()).toBe(before);
  });
});
