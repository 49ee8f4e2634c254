import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAt } from '../../src/archives/fileBytes.ts';
import { scanTar } from '../../src/archives/scanTar.ts';
import type { TarIndex } from '../../src/archives/tarIndex.ts';
import { scratch, scratchFile } from '../support/scratch.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';
import { entryBytes, headerBlock, paxHeader, tarBytes, withChecksum } from '../support/tarBytes.ts';

async function scan(path: string, signal?: AbortSignal): Promise<TarIndex> {
  await using file = await open(path);
  const { size } = await file.stat();
  return await scanTar({ file, size, location: path, ...(signal === undefined ? {} : { signal }) });
}

/** Path → content of every regular file, read through the index. */
async function contents(path: string): Promise<Record<string, string>> {
  const index = await scan(path);
  await using file = await open(path);
  const pairs: [string, string][] = [];
  for (const entry of index.entries) {
    if (entry.type !== 'file') continue;
    pairs.push([entry.path, (await readAt(file, entry.offset, entry.size)).toString()]);
  }
  return Object.fromEntries(pairs);
}

const LONG = `${'long-'.repeat(60)}name/with-ü`;

describe('the index of a tar archive', () => {
  it('gives the place of every file', async () => {
    const entries = [
      { path: 'a', data: 'first' },
      { path: 'd/', type: '5' },
      { path: 'd/b', data: 'x'.repeat(512) },
      { path: 'd/c', data: 'y'.repeat(513) },
      { path: 'empty' },
    ];
    expect(await contents(scratchFile(tarBytes(entries)))).toEqual({
      a: 'first',
      'd/b': 'x'.repeat(512),
      'd/c': 'y'.repeat(513),
      empty: '',
    });
  });

  it.each(['pax', 'gnu'] as const)('reads long names of the %s form', async (form) => {
    const archive = tarBytes([
      { path: LONG, data: '1', form },
      { path: 'link', type: '2', linkpath: LONG, form },
      { path: 'after', data: '2', form },
    ]);
    const path = scratchFile(archive);
    expect(await contents(path)).toEqual({ [LONG]: '1', after: '2' });
    expect((await scan(path)).find('link', 'first')).toMatchObject({ type: 'symlink', linkpath: LONG });
  });

  it('takes name and size from PAX records, whatever the header says, also its prefix', async () => {
    const header = headerBlock({ path: 'truncated', type: '0', size: 1 });
    header.write('some/prefix', 345);
    const data = Buffer.alloc(512, 'z');
    const archive = Buffer.concat([
      paxHeader({ path: 'real/ñame', size: '300' }),
      withChecksum(header),
      data,
    ]);
    const path = scratchFile(Buffer.concat([archive, Buffer.alloc(1024)]));
    expect(await contents(path)).toEqual({ 'real/ñame': 'z'.repeat(300) });
  });

  it('joins the prefix of the ustar form', async () => {
    const header = headerBlock({ path: 'name', type: '0', size: 0 });
    header.write('dir/sub', 345);
    const path = scratchFile(Buffer.concat([withChecksum(header), Buffer.alloc(1024)]));
    expect(await contents(path)).toEqual({ 'dir/sub/name': '' });
  });

  it('lets records count for the next entry only, and global ones for none', async () => {
    const archive = Buffer.concat([
      paxHeader({ path: 'global', size: '5' }, 'g'),
      entryBytes({ path: 'a', data: '1', pax: { path: 'renamed' } }),
      entryBytes({ path: 'b', data: '22' }),
      Buffer.alloc(1024),
    ]);
    expect(await contents(scratchFile(archive))).toEqual({ renamed: '1', b: '22' });
  });

  it('cleans paths, and finds them however they are written', async () => {
    const path = scratchFile(
      tarBytes([
        { path: './manifest.json', data: '1' },
        { path: '/abs/x', data: '2' },
        { path: 'a//b/../c', data: '3' },
        { path: '../out', data: '4' },
      ]),
    );
    expect(await contents(path)).toEqual({ 'manifest.json': '1', 'abs/x': '2', 'a/c': '3', '../out': '4' });
    const index = await scan(path);
    expect(index.find('./manifest.json', 'last')?.path).toBe('manifest.json');
    expect(index.find('out', 'last')).toBeUndefined();
  });

  it('knows the first and the last of several entries of one path', async () => {
    const path = scratchFile(
      tarBytes([
        { path: 'x', data: '1' },
        { path: './x', data: '22' },
        { path: 'x', data: '333' },
      ]),
    );
    const index = await scan(path);
    expect(index.find('x', 'first')?.size).toBe(1);
    expect(index.find('x', 'last')?.size).toBe(3);
  });

  it('skips a payload of many gigabytes by its length', async () => {
    const size = 9 * 2 ** 30;
    const path = scratchFile(headerBlock({ path: 'big', type: '0', size }));
    truncateSync(path, 512 + size);
    writeFileSync(path, tarBytes([{ path: 'after', data: 'end' }]), { flag: 'a' });
    const index = await scan(path);
    expect(index.find('big', 'first')?.size).toBe(size);
    expect(index.find('after', 'first')).toMatchObject({ offset: 512 + size + 512, size: 3 });
  });

  it('ignores what follows the end blocks, and does without them', async () => {
    const entry = entryBytes({ path: 'a', data: '1' });
    expect(
      await contents(scratchFile(Buffer.concat([entry, Buffer.alloc(1024), Buffer.alloc(700, 1)]))),
    ).toEqual({ a: '1' });
    expect(await contents(scratchFile(entry))).toEqual({ a: '1' });
    expect(await contents(scratchFile(Buffer.concat([entry, Buffer.alloc(512)])))).toEqual({ a: '1' });
    expect(await contents(scratchFile(entry.subarray(0, 513)))).toEqual({ a: '1' });
  });

  it('says what each entry is', async () => {
    const types = ['0', '7', '5', '2', '1', '3', '6', 'V'].map((type, i) => ({ path: `e${i}`, type }));
    const index = await scan(scratchFile(tarBytes(types)));
    expect(index.entries.map(({ type }) => type)).toEqual([
      'file',
      'file',
      'directory',
      'symlink',
      'hardlink',
      'other',
      'other',
      'other',
    ]);
  });

  it('does not skip data that links and directories claim to have', async () => {
    const archive = tarBytes([
      { path: 'd', type: '5', size: 4096 },
      { path: 'l', type: '2', linkpath: 'x', size: 4096 },
      { path: 'after', data: '1' },
    ]);
    expect(await contents(scratchFile(archive))).toEqual({ after: '1' });
  });
});

describe('archives of other programs', () => {
  it.each(['v7', 'ustar', 'gnu', 'oldgnu', 'posix'])(
    'are read in the %s format of GNU tar',
    async (format) => {
      const root = scratch();
      mkdirSync(join(root, 'blobs/sha256'), { recursive: true });
      const name = 'n'.repeat(/v7|ustar/.test(format) ? 80 : 99);
      writeFileSync(join(root, 'blobs/sha256', name), 'x'.repeat(1000));
      if (format !== 'v7') writeFileSync(join(root, 'blobs/sha256', `${'m'.repeat(90)}`), 'y');
      symlinkSync('blobs', join(root, 'link'));
      linkSync(join(root, 'blobs/sha256', name), join(root, 'zz-hard'));
      const archive = join(scratch(), 'out.tar');
      execFileSync('tar', [
        `--format=${format}`,
        '-C',
        root,
        '-cf',
        archive,
        './blobs',
        './link',
        './zz-hard',
      ]);
      const index = await scan(archive);
      expect(index.find(`blobs/sha256/${name}`, 'first')).toMatchObject({ size: 1000, type: 'file' });
      expect(index.find('link', 'first')).toMatchObject({ type: 'symlink', linkpath: 'blobs' });
      expect(index.find('zz-hard', 'first')).toMatchObject({
        type: 'hardlink',
        linkpath: `./blobs/sha256/${name}`,
      });
      expect((await contents(archive))[`blobs/sha256/${name}`]).toBe('x'.repeat(1000));
    },
  );

  it.each(['gnu', 'posix'])('with sparse files (%s) are refused with a way out', async (format) => {
    const root = scratch();
    writeFileSync(join(root, 'before'), 'x');
    writeFileSync(join(root, 'holes'), '');
    truncateSync(join(root, 'holes'), 10 * 2 ** 20);
    writeFileSync(join(root, 'holes'), 'end', { flag: 'a' });
    const archive = join(scratch(), 'out.tar');
    execFileSync('tar', [`--format=${format}`, '-C', root, '-Scf', archive, 'before', 'holes']);
    const error = await storageErrorOf(() => scan(archive));
    expect(error).toMatchObject({ code: 'ARCHIVE_INVALID', facts: { path: archive } });
    expect(error.message).toContain('"holes" is stored as a sparse file');
    expect(error.hint).toContain('--sparse');
  });
});

describe('what is no tar archive, or a damaged one', () => {
  const good = tarBytes([
    { path: 'a', data: 'x'.repeat(600) },
    { path: 'b', data: '1' },
  ]);
  const badChecksum = Buffer.from(good);
  badChecksum[512 + 1024] ^= 0xff;
  const badNumber = headerBlock({ path: 'a', type: '0', size: 0 });
  badNumber.fill(0xff, 124, 136);
  badNumber[124] = 0x80;
  const negative = headerBlock({ path: 'a', type: '0', size: 0 });
  negative.fill(0xff, 124, 136);

  it.each([
    ['an empty file', Buffer.alloc(0), 'SOURCE_UNRECOGNIZED', 'it is empty', 0],
    ['a short file', Buffer.from('hello'), 'SOURCE_UNRECOGNIZED', 'it is too short', 0],
    ['text', Buffer.alloc(2000, 'text '), 'SOURCE_UNRECOGNIZED', 'it has no tar header', 0],
    ['random numbers', Buffer.alloc(2000, 0x80), 'SOURCE_UNRECOGNIZED', 'it has no tar header', 0],
    [
      'an end in the data',
      good.subarray(0, 900),
      'TAR_TRUNCATED',
      'ends at byte 900, in the middle of "a"',
      900,
    ],
    ['an end in a header', good.subarray(0, 1600), 'TAR_TRUNCATED', 'in the middle of a header', 1536],
    ['a header with a flipped byte', badChecksum, 'ARCHIVE_INVALID', 'wrong checksum at byte 1536', 1536],
    [
      'a number that is too large',
      Buffer.concat([entryBytes({ path: 'a' }), withChecksum(badNumber)]),
      'ARCHIVE_INVALID',
      'malformed number at byte 512',
      512,
    ],
    [
      'a negative size',
      Buffer.concat([entryBytes({ path: 'a' }), withChecksum(negative), Buffer.alloc(1024)]),
      'ARCHIVE_INVALID',
      'malformed size',
      1024,
    ],
    [
      'a size that is no number',
      Buffer.concat([paxHeader({ size: '1.5' }), entryBytes({ path: 'a' })]),
      'ARCHIVE_INVALID',
      'malformed size',
      1536,
    ],
    [
      'an endless long name',
      Buffer.concat([headerBlock({ path: 'x', type: 'L', size: 2 ** 21 }), Buffer.alloc(2 ** 21)]),
      'ARCHIVE_INVALID',
      'an extended header of 2097152 bytes',
      512,
    ],
    [
      'a zero block between entries',
      Buffer.concat([entryBytes({ path: 'a' }), Buffer.alloc(512), entryBytes({ path: 'b' })]),
      'ARCHIVE_INVALID',
      'zero block',
      512,
    ],
    [
      'an end in a long name',
      Buffer.concat([headerBlock({ path: 'x', type: 'L', size: 200 }), Buffer.alloc(100)]),
      'TAR_TRUNCATED',
      'ends at byte 612',
      612,
    ],
  ] as const)('%s', async (_, bytes, code, text, offset) => {
    const path = scratchFile(bytes);
    const error = await storageErrorOf(() => scan(path));
    expect(error.code).toBe(code);
    expect(error.message).toContain(path);
    expect(error.message).toContain(text);
    expect(error.facts).toMatchObject({ path, offset });
    expect(error.hint).toBeTruthy();
  });

  it('an aborted scan', async () => {
    const path = scratchFile(good);
    const error = await storageErrorOf(() => scan(path, AbortSignal.abort(new Error('enough'))));
    expect(error).toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } });
  });
});
