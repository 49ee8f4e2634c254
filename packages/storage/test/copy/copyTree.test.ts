import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Warning } from '@sediment/core';
import { close, linkat, mkdirat, O_CLOEXEC, O_CREAT, O_DIRECTORY, openat } from '@sediment/posix';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundleProgram } from '../../../../test/support/bundleProgram.ts';
import {
  makeScratchDirectory,
  makeStoreRoot,
  removeScratchDirectory,
} from '../../../../test/support/storeRoot.ts';
import { compareTrees, listTree } from '../../../../test/support/treeListing.ts';
import { copyTree } from '../../src/copy/copyTree.ts';
import { removeTree } from '../../src/staging/removeTree.ts';

const NOBODY = 65534;
const isRoot = process.geteuid?.() === 0;

/** All that a layer can hold. */
const FILL = `
umask 022
echo text > file; : > empty; head -c 3000000 /dev/urandom > big
ln file hard1; mkdir dir; ln file dir/hard2
ln -s file link; ln -s /etc/passwd absolute; ln -s missing dangling; ln -s 'odd
target' newline
ln -P link link-again
mkfifo fifo; mknod char c 1 3; mknod block b 7 300; mknod zero c 0 0
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
install -m 4755 /dev/null suid; install -m 2755 /dev/null sgid; install -d -m 1777 sticky; install -m 0 /dev/null none
install -d -m 0 closed; chown 1000:2000 file suid; chown -h 3:4 link; chown 5:6 fifo
chmod 4755 suid
setfattr -n user.note -v hello file; setfattr -n user.note -v there dir
setfattr -n trusted.overlay.opaque -v y dir; setfattr -n trusted.other -v '' file
: > cap; setfattr -n security.capability -v 0sAQAAAgAEAAAAAAAAAAAAAAAAAAA= cap
setfattr -h -n trusted.onlink -v x link
: > "$(printf 'bad\\377name')"; mkdir "$(printf 'bad\\376dir')"; : > "$(printf 'bad\\376dir/x')"
touch -h -d '2001-02-03 04:05:06.123456789' file link dir fifo char
touch -d '1960-01-01 00:00:00.000000001' empty
touch -d '2040-01-01' big
touch -d '2010-10-10 10:10:10.987654321' .
chmod 751 .; chown 11:12 .
`;

describe.skipIf(!isRoot)('copyTree (needs root to make devices and set owners)', () => {
  let scratch: string;
  let warnings: Warning[];
  const options = { ignoreChownErrors: false, onWarning: (warning: Warning) => void warnings.push(warning) };

  beforeEach(() => {
    scratch = makeScratchDirectory('copy');
    warnings = [];
  });
  afterEach(() => {
    removeTree(scratch);
    removeScratchDirectory(scratch);
  });

  for (const on of ['tmpfs', 'ext4'] as const) {
    it(`copies all that a layer can hold, on ${on}`, async () => {
      await using store = makeStoreRoot({ on });
      const [source, target] = [join(store.path, 'source'), join(store.path, 'target')];
      mkdirSync(source);
      mkdirSync(target);
      execFileSync('sh', ['-e', '-c', FILL], { cwd: source });
      const original = listTree(source);
      copyTree(source, target, options);
      expect(compareTrees(original, listTree(target))).toEqual([]);
      expect(original.size).toBe(26);
      expect(lstatSync(join(target, 'file')).nlink).toBe(3);
      expect(warnings).toEqual([]);
    });
  }

  it('copies access times too', () => {
    const source = join(scratch, 'source');
    mkdirSync(join(source, 'dir'), { recursive: true });
    writeFileSync(join(source, 'dir/file'), 'x');
    execFileSync('touch', ['-a', '-d', '2020-02-02 02:02:02.202020202', join(source, 'dir/file'), source]);
    mkdirSync(join(scratch, 'target'));
    copyTree(source, join(scratch, 'target'), options);
    for (const name of ['dir/file', '.']) {
      const { atimeNs } = statSync(join(scratch, 'target', name), { bigint: true });
      expect(atimeNs % 1_000_000_000n).toBe(202020202n);
    }
  });

  it('copies trees deeper than a path can say, with their hard links', () => {
    const source = join(scratch, 'source');
    mkdirSync(source);
    const name = 'd'.repeat(200);
    let fd = openSync(source, 'r');
    for (let depth = 0; depth < 30; depth++) {
      mkdirat(fd, name, 0o755);
      const next = openat(fd, name, O_DIRECTORY | O_CLOEXEC);
      close(fd);
      fd = next;
    }
    close(openat(fd, 'one', O_CREAT | O_CLOEXEC, 0o644));
    linkat(fd, 'one', fd, 'two');
    closeSync(fd);
    mkdirSync(join(scratch, 'target'));
    copyTree(source, join(scratch, 'target'), options);
    const count =
      'import os,sys\nn=0\nfor p,d,f,fd in os.fwalk(sys.argv[1]):\n  n+=len(d)+len(f)\n  for x in f: print(os.stat(x,dir_fd=fd).st_nlink)\nprint(n)';
    const result = spawnSync('python3', ['-c', count, join(scratch, 'target')], { encoding: 'utf8' });
    expect(result.stdout.trim().split('\n')).toEqual(['2', '2', '32']);
  });

  describe('while somebody puts a symlink in the place of a directory', () => {
    const at = (...names: string[]) => join(scratch, ...names);
    beforeEach(() => {
      for (const path of ['source/a', 'source/z', 'target', 'outside']) {
        mkdirSync(at(path), { recursive: true });
      }
      for (let i = 0; i < 10; i++) writeFileSync(at('source/a', `file-${i}`), 'x');
      writeFileSync(at('source/z/planted'), 'planted');
      writeFileSync(at('outside/secret'), 'secret');
    });

    /** Runs `act` when the first directory is being filled, and the last one not yet. */
    function copyAnd(act: () => void): void {
      let done = false;
      const checkpoint = () => {
        if (done || !existsSync(at('target/a/file-0'))) return;
        done = true;
        act();
      };
      copyTree(at('source'), at('target'), { ...options, checkpoint });
    }

    it('writes nothing to where that leads', () => {
      const swap = () => {
        rmdirSync(at('target/z'));
        symlinkSync(at('outside'), at('target/z'));
      };
      expect(() => copyAnd(swap)).toThrow(expect.objectContaining({ syscall: 'openat' }));
      expect(readdirSync(at('outside'))).toEqual(['secret']);
    });

    it('reads nothing from where that leads', () => {
      const swap = () => {
        rmSync(at('source/z'), { recursive: true });
        symlinkSync(at('outside'), at('source/z'));
      };
      expect(() => copyAnd(swap)).toThrow(expect.objectContaining({ syscall: 'openat' }));
      expect(readdirSync(at('target/z'))).toEqual([]);
    });

    it('makes no hard links to what is there', () => {
      linkSync(at('source/a/file-0'), at('source/z/other-name'));
      writeFileSync(at('outside/file-0'), 'secret');
      const swap = () => {
        renameSync(at('target/a'), at('moved'));
        symlinkSync(at('outside'), at('target/a'));
      };
      copyAnd(swap);
      expect(readFileSync(at('target/z/other-name'), 'utf8')).toBe('x');
      expect(lstatSync(at('outside/file-0')).nlink).toBe(1);
    });
  });

  it('copies deep trees with hard links when few files may be open', async () => {
    const source = join(scratch, 'source');
    let deepest = source;
    for (let depth = 0; depth < 60; depth++) deepest = join(deepest, `d${depth}`);
    mkdirSync(deepest, { recursive: true });
    for (let i = 0; i < 200; i++) {
      writeFileSync(join(deepest, `one-${i}`), String(i));
      linkSync(join(deepest, `one-${i}`), join(source, `two-${i}`));
    }
    execFileSync('touch', ['-d', '2001-02-03 04:05:06.7', deepest, join(source, 'd0/d1')]);
    const target = join(scratch, 'target');
    mkdirSync(target);
    const program = new URL('../support/copyTreeChild.ts', import.meta.url);
    const child = await bundleProgram(fileURLToPath(program));
    try {
      const run = 'ulimit -n 64; exec "$@"';
      const args = ['-c', run, 'sh', process.execPath, child.path, source, target];
      expect(spawnSync('sh', args, { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    } finally {
      child.remove();
    }
    expect(compareTrees(listTree(source), listTree(target))).toEqual([]);
    expect(lstatSync(join(target, 'two-7')).nlink).toBe(2);
  });

  it('stops on an owner that cannot be set, or goes on with one warning if told to', () => {
    const source = join(scratch, 'source');
    mkdirSync(source);
    for (const name of ['a', 'b']) writeFileSync(join(source, name), name);
    for (const name of ['strict', 'lenient']) {
      mkdirSync(join(scratch, name));
      chownSync(join(scratch, name), NOBODY, NOBODY);
    }
    chmodSync(scratch, 0o755);
    process.seteuid?.(NOBODY);
    try {
      expect(() => copyTree(source, join(scratch, 'strict'), options)).toThrow(
        expect.objectContaining({ code: 'EPERM', syscall: 'fchown' }),
      );
      copyTree(source, join(scratch, 'lenient'), { ...options, ignoreChownErrors: true });
    } finally {
      process.seteuid?.(0);
    }
    expect(readFileSync(join(scratch, 'lenient/b'), 'utf8')).toBe('b');
    expect(warnings).toEqual([
      expect.objectContaining({ code: 'CHOWN_IGNORED', message: expect.stringContaining('(and 2 more)') }),
    ]);
  });
});
