/** Both ways between us and upstream's own command, `tar-split` (Debian package of that name). */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assembleTar } from '../../src/tarSplit/assembleTar.ts';
import { readTarSplit } from '../../src/tarSplit/readTarSplit.ts';
import { chunked, collect, lines, sample } from '../support/bytes.ts';
import { fileOf } from '../support/layerFile.ts';
import { packGzip, packLines } from '../support/tarSplit.ts';

const COMMAND = '/usr/bin/tar-split';
const TAR = '/usr/bin/tar';
const missing = [COMMAND, TAR].filter((command) => !existsSync(command));

let base = '';
let tree = '';

function makeTree(): void {
  tree = join(base, 'tree');
  mkdirSync(join(tree, 'dir/nested'), { recursive: true });
  writeFileSync(join(tree, 'dir/hello'), 'hello\n');
  writeFileSync(join(tree, 'dir/empty'), '');
  writeFileSync(join(tree, 'dir/nested/large'), lines(400_000));
  writeFileSync(join(tree, 'dir/binary'), sample(70_001));
  writeFileSync(join(tree, 'é <&> "quoted"'), 'name');
  writeFileSync(join(tree, `dir/${'long'.repeat(60)}`), 'long name');
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/caf`), Buffer.from([0xe9])]), 'raw name');
  symlinkSync('dir/hello', join(tree, 'link'));
  execFileSync('ln', [join(tree, 'dir/hello'), join(tree, 'dir/hardlink')]);
  writeFileSync(join(tree, 'sparse'), 'start');
  truncateSync(join(tree, 'sparse'), 2 ** 20);
}

function makeTar(name: string, args: readonly string[]): Buffer {
  const path = join(base, name);
  execFileSync(TAR, ['-C', tree, '--sort=name', ...args, '-cf', path, '.']);
  return readFileSync(path);
}

function disassemble(tar: Buffer): Buffer {
  const [input, output] = [join(base, 'in.tar'), join(base, 'out.json.gz')];
  writeFileSync(input, tar);
  execFileSync(COMMAND, ['disasm', '--no-stdout', '--output', output, input], { stdio: 'pipe' });
  return readFileSync(output);
}

function reassemble(metadata: Buffer): Buffer {
  const [input, output] = [join(base, 'in.json.gz'), join(base, 'out.tar')];
  writeFileSync(input, metadata);
  execFileSync(COMMAND, ['asm', '--input', input, '--output', output, '--path', tree], { stdio: 'pipe' });
  return readFileSync(output);
}

/** Lines, with the segments behind the last record joined: their number differs between versions. */
function comparable(text: readonly string[]): unknown[] {
  const records = text.map((line) => JSON.parse(line));
  const last = records.findLastIndex((record) => record.type === 1);
  const rest = records.slice(last + 1).map((record) => Buffer.from(record.payload, 'base64'));
  return [...text.slice(0, last + 1), Buffer.concat(rest).toString('base64')];
}

const openInTree = (name: Buffer) =>
  fileOf(readFileSync(Buffer.concat([Buffer.from(`${tree}/`), name])), 10_000);

const title = missing.length === 0 ? 'with tar-split' : `with tar-split (skipped: no ${missing.join(', ')})`;

describe.skipIf(missing.length > 0)(title, () => {
  beforeAll(() => {
    base = mkdtempSync('/dev/shm/sediment-tar-split-');
    makeTree();
  });

  afterAll(() => rmSync(base, { recursive: true, force: true }));

  describe.each([
    ['gnu', ['--format=gnu']],
    ['posix', ['--format=posix']],
    ['posix with xattr-like records', ['--format=posix', '--pax-option=SCHILY.xattr.user.k:=v']],
    ['a global header', ['--format=posix', '--pax-option=comment=text']],
    ['ustar', ['--format=ustar', '--exclude=*long*']],
    ['v7', ['--format=v7', '--exclude=*long*']],
    ['oldgnu', ['--format=oldgnu', '--numeric-owner', '--owner=:3000000', '--group=:70000']],
    ['trailing bytes', ['--format=gnu', '--blocking-factor=100']],
  ])('%s', (name, args) => {
    it('makes the same lines', () => {
      const tar = makeTar(name, args);
      const theirs = gunzipSync(disassemble(tar)).toString().trimEnd().split('\n');
      expect(comparable(packLines(tar))).toEqual(comparable(theirs));
      expect(theirs.length).toBeGreaterThan(10);
    });

    it('assembles what upstream wrote, and upstream what we wrote', async () => {
      const tar = makeTar(name, args);
      const ours = await collect(assembleTar(readTarSplit(chunked(disassemble(tar), 3000)), openInTree));
      expect(ours.equals(tar)).toBe(true);
      expect(reassemble(packGzip(tar)).equals(tar)).toBe(true);
    });
  });

  it.each([
    ['old GNU', ['--format=gnu']],
    ['PAX 0.0', ['--format=posix', '--sparse-version=0.0']],
    ['PAX 0.1', ['--format=posix', '--sparse-version=0.1']],
    ['PAX 1.0', ['--format=posix', '--sparse-version=1.0']],
  ])('lets upstream assemble sparse files of %s, which it cannot do with its own metadata', (name, args) => {
    const tar = makeTar(`sparse ${name}`, [...args, '--sparse']);
    expect(tar.length).toBeLessThan(900_000);
    expect(reassemble(packGzip(tar)).equals(tar)).toBe(true);
    expect(reassemble(disassemble(tar)).equals(tar)).toBe(false);
  });
});
