import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bzip2Tar, xzTar, zstdTar } from '../support/compressedTars.ts';
import { DROPIN, runDropin } from '../support/dropin.ts';
import { findDebris } from '../support/leftovers.ts';
import { containersStorage, peersSkipReason, peerTitle, withRoots } from '../support/peers.ts';
import { runProgram } from '../support/runProgram.ts';
import { type DriverName, makeStoreRoot, type StoreRoot } from '../support/storeRoot.ts';
import { storeState } from '../support/storeState.ts';
import { type TarItem, tarOf } from '../support/tarWriter.ts';
import { type Step, type StepOptions, TwinStores } from '../support/twinStores.ts';

const sound = tarOf([
  { name: 'etc/', type: 'directory' },
  { name: 'etc/motd', content: 'hello\n' },
]);
/** Bytes that look like nothing, and are the same in every run. */
const junk = Buffer.concat(
  Array.from({ length: 200 }, (_, i) => createHash('sha256').update(`junk ${i}`).digest()),
);
const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length >> 1);
const flipped = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  const middle = copy.length >> 1;
  copy[middle] = (copy[middle] ?? 0) ^ 0xff;
  return copy;
};

/** Layers that both programs refuse, or both take. */
const LAYERS: ReadonlyArray<readonly [title: string, bytes: Buffer]> = [
  ['nothing', Buffer.alloc(0)],
  ['zeros', Buffer.alloc(4096)],
  ['a text', Buffer.from('this is no archive\n')],
  ['junk', junk],
  ['half a header', sound.subarray(0, 300)],
  ['half a file', sound.subarray(0, 1027)],
  ['no end', sound.subarray(0, 2048)],
  ['junk behind the end', Buffer.concat([sound, junk])],
  ['a wrong check sum', flipped(sound.subarray(0, 512))],
  ['junk in gzip', gzipSync(junk)],
  ['half of a gzip', half(gzipSync(sound))],
  ['a damaged gzip', flipped(gzipSync(sound))],
  ['a magic of gzip alone', Buffer.from('1f8b08', 'hex')],
  ['junk behind a gzip', Buffer.concat([gzipSync(sound), junk])],
  ['two gzips', Buffer.concat([gzipSync(sound.subarray(0, 1024)), gzipSync(sound.subarray(1024))])],
  ['a gzip in a gzip', gzipSync(gzipSync(sound))],
  ['half of an xz', half(xzTar)],
  ['a damaged xz', flipped(xzTar)],
  ['half of a bzip2', half(bzip2Tar)],
  ['a damaged bzip2', flipped(bzip2Tar)],
  ['half of a zstd', half(zstdTar)],
  ['a damaged zstd', flipped(zstdTar)],
];

/** Entries that lead out of the layer or hide something. */
const ENTRIES: ReadonlyArray<readonly [title: string, items: TarItem[]]> = [
  ['a name that leads out', [{ name: '../../../outside', content: 'x' }]],
  ['an absolute name', [{ name: '/absolute', content: 'x' }]],
  [
    'a symlink that leads out',
    [
      { name: 'out', type: 'symlink', linkname: '../../../..' },
      { name: 'out/outside', content: 'x' },
    ],
  ],
  ['a hard link that leads out', [{ name: 'hard', type: 'hardlink', linkname: '../../../../etc/passwd' }]],
  ['a hard link to nothing', [{ name: 'hard', type: 'hardlink', linkname: 'nothing' }]],
  [
    'a file in place of a directory',
    [
      { name: 'd/', type: 'directory' },
      { name: 'd/f', content: 'x' },
      { name: 'd', content: 'now a file' },
    ],
  ],
  [
    'the same name twice',
    [
      { name: 'f', content: 'one' },
      { name: 'f', content: 'two' },
    ],
  ],
];

/** On vfs the peer speaks of a process that it unpacks in, and logs it too. */
function badDiff(driver: DriverName, reason: string): StepOptions {
  return driver === 'vfs' ? { contract: { stderr: `processing tar file(${reason}): exit status 1\n` } } : {};
}

describe.skipIf(peersSkipReason)(
  peerTitle('bad input has the outcome that it has for the Go command'),
  () => {
    it.each<DriverName>(['overlay', 'vfs'])('layers that are none, on %s', async (driver) => {
      await using twins = new TwinStores({ driver });
      const layers = [...LAYERS, ...ENTRIES.map(([title, items]) => [title, tarOf(items)] as const)];
      const steps = layers.map(
        ([title, bytes]): Step => [
          ['import-layer', '--id', title, '--file', twins.file(`layers/${title}`, bytes)],
          { ownWords: true },
        ],
      );
      expect(await twins.run([[['create-layer', '--id', 'empty']], ...steps])).toEqual([]);
      expect(
        await twins.run([
          [
            ['applydiff', '-f', '{DIR}/layers/junk', 'empty'],
            badDiff(driver, 'archive/tar: invalid tar header'),
          ],
          [['applydiff', '-f', '{DIR}/layers/half a file', 'empty'], badDiff(driver, 'unexpected EOF')],
          [['applydiff', '-f', '{DIR}/layers/half of a gzip', 'empty'], { ownWords: true }],
          [['layer', '-j', 'empty']],
          [['applydiff', 'empty'], { stdin: sound }],
          [['layers', '-j']],
        ]),
      ).toEqual([]);
      expect(twins.compare()).toEqual([]);
      for (const { path } of twins.stores) expect(existsSync(join(path, 'outside'))).toBe(false);
    });

    it('ids, names, digests and maps', async () => {
      await using twins = new TwinStores();
      expect(
        await twins.run([
          [['create-layer', '--id', 'base', '--name', '']],
          [['create-layer', '--id', 'base']],
          [['create-layer', '--name', '']],
          [['create-layer', 'nothing']],
          [['create-layer', '--uidmap', 'x', 'base']],
          [['create-layer', '--uidmap', '0:1', 'base'], { ownWords: true }],
          [['create-layer', '--gidmap', '0:1:99999999999', 'base'], { ownWords: true }],
          [['create-layer', '--hostuidmap', '--uidmap', '0:1:2', 'base']],
          [['create-layer', '--subuidmap', 'nobody-has-this-name', 'base']],
          [['create-image', '--digest', 'sha256:12', 'base'], { ownWords: true }],
          [['create-image', '--digest', 'md5:d41d8cd98f00b204e9800998ecf8427e', 'base'], { ownWords: true }],
          [['create-image', '--id', 'picture', 'base']],
          [['create-image', '--id', 'picture']],
          [['create-image', 'nothing']],
          [['create-image', '--metadata-file', '{DIR}/nothing', 'base']],
          [['create-container', 'nothing']],
          [['create-container', 'base']],
          [['set-image-data', 'picture', ''], { stdin: 'x', ownWords: true }],
          [['set-image-data', '-f', '{DIR}/nothing', 'picture', 'manifest']],
          [['get-image-data', 'picture', '../../images.json']],
          [['import-layer', '-f', '{DIR}/nothing', 'base']],
          [['import-layer', '-f', '{DIR}', 'base']],
          [['diff', '-f', '{DIR}', 'base']],
          [['diff', '-f', '{DIR}/no/directory', 'base']],
          [['applydiff', '-f', '{DIR}/nothing', 'nothing']],
          [['changes', '']],
          // the peer takes an unknown reference for none
          [
            ['diffsize', 'base', 'nothing'],
            { contract: { stdout: '', stderr: 'layer not known\n', exitCode: 1 } },
          ],
          [['layers', '-j']],
          [['images', '-j']],
        ]),
      ).toEqual([]);
      expect(twins.compare()).toEqual([]);
    });

    it('two programs that delete the same at once: one of them does it', async () => {
      await using store = makeStoreRoot();
      const layers = Array.from({ length: 6 }, (_, i) => `layer${i}`);
      for (const id of layers) await containersStorage(store, ['create-layer', '--id', id]);
      const inOrder = ['delete-layer', ...layers];
      const backwards = ['delete-layer', ...layers.toReversed()];
      const ends = await Promise.all([
        runDropin(store, withRoots(store, inOrder)),
        runDropin(store, withRoots(store, backwards)),
        containersStorage(store, inOrder, { mayFail: true }),
      ]);
      const said = ends.flatMap(({ stderr }) => stderr.split('\n').filter((line) => line !== ''));
      expect(said.filter((line) => !/^layer\d: identifier is not a layer$/.test(line))).toEqual([]);
      expect(said).toHaveLength(2 * layers.length);
      expect((await containersStorage(store, ['layers'])).stdout).toBe('');
      expect(findDebris(store)).toEqual([]);
    });

    it('output that nobody reads is no failure, and output that cannot be written is one', async () => {
      await using store = makeStoreRoot();
      const layer = join(store.path, 'large');
      writeFileSync(layer, tarOf([{ name: 'large', content: Buffer.alloc(3 << 20, 'large') }]));
      await containersStorage(store, ['import-layer', '--id', 'large', '--file', layer]);
      const diff = [process.execPath, DROPIN, ...withRoots(store, ['diff', 'large'])];
      const shell = async (script: string) =>
        await runProgram('/bin/bash', ['-c', script, ...diff], { env: store.env });
      expect(await shell('"$0" "$@" | head -c 5; exit $PIPESTATUS')).toMatchObject({
        stdout: 'large',
        stderr: '',
        exitCode: 0,
      });
      expect(await shell('"$0" "$@" > /dev/full')).toMatchObject({
        stderr: 'write /dev/stdout: no space left on device\n',
        exitCode: 1,
      });
    });

    it('records that are damaged: the file is named, and nothing is written', async () => {
      const damaged = [
        ['layers', '[{"id":'],
        ['images', '{}'],
        ['containers', '["text"]'],
      ] as const;
      for (const [kind, text] of damaged) {
        await using store = makeStoreRoot();
        await containersStorage(store, ['create-layer', '--id', 'base']);
        const file = join(store.graphRoot, `overlay-${kind}/${kind}.json`);
        writeFileSync(file, text);
        for (const args of [[kind], ['delete', 'base'], ['wipe']]) {
          const { exitCode, stdout, stderr } = await runDropin(store, withRoots(store, args));
          expect([args, exitCode, stdout + stderr]).toEqual([args, 1, expect.stringContaining(file)]);
        }
        expect(readFileSync(file, 'utf8')).toBe(text);
      }
    });

    it('roots that cannot be written to: they can still be read, unlike by the peer', async () => {
      await using store = makeStoreRoot();
      await containersStorage(store, ['create-layer', '--id', 'base']);
      const before = storeState(store);
      makeReadOnly(store);
      expect(await runDropin(store, withRoots(store, ['layers']))).toMatchObject({
        stdout: 'base\n',
        exitCode: 0,
      });
      for (const args of [['create-layer'], ['delete-layer', 'base'], ['wipe']]) {
        expect((await containersStorage(store, args, { mayFail: true })).exitCode).toBe(1);
        expect(await runDropin(store, withRoots(store, args))).toMatchObject({
          stderr: expect.stringMatching(/read-only/),
          exitCode: 1,
        });
      }
      expect(storeState(store)).toEqual(before);
    });
  },
);

function makeReadOnly({ graphRoot }: StoreRoot): void {
  execFileSync('mount', ['--bind', graphRoot, graphRoot]);
  execFileSync('mount', ['-o', 'remount,bind,ro', graphRoot]);
}
