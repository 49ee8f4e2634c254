import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { StorageError, type Warning } from '@sediment/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Disk } from '../../src/durability/disk.ts';
import { LockManager } from '../../src/locks/index.ts';
import type { ReadNext } from '../../src/records/jsonPieces.ts';
import { type LayerRecord, layerFormat } from '../../src/records/layerRecord.ts';
import { StorePaths } from '../../src/store/storePaths.ts';
import { RecordFiles, type RecordFilesOptions, type TableFile } from '../../src/tables/recordFiles.ts';
import { RecordTable, type RecordTableOptions } from '../../src/tables/recordTable.ts';
import { noStore } from '../support/tempStore.ts';

const CREATED = '2020-01-01T00:00:00Z';
const json = (...records: object[]) =>
  JSON.stringify(records.map((record) => ({ created: CREATED, ...record })));

describe.skipIf(noStore === 'needs Linux')('RecordTable', () => {
  let directory: string;
  let warnings: Warning[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sediment-table-'));
    warnings = [];
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  const stable = () => join(directory, 'layers.json');
  const volatile = () => join(directory, 'volatile-layers.json');

  const onWarning = (warning: Warning) => void warnings.push(warning);
  const locks = new LockManager({ backend: 'fcntl', onWarning });

  /** The layers of the store in a directory, which is `directory` unless another one is named. */
  function filesOf(
    options: Partial<RecordFilesOptions<LayerRecord>> = {},
    { root = directory, readOnly = false } = {},
  ): RecordFiles<LayerRecord> {
    const lock = locks.lock(join(root, 'layers.lock'), { rank: 'layers', readOnly });
    const files: TableFile[] = [
      { path: join(root, 'layers.json'), role: 'main', lock },
      { path: join(root, 'volatile-layers.json'), role: 'volatile', lock },
    ];
    return new RecordFiles<LayerRecord>({
      kind: 'layer',
      files,
      locks: [lock],
      paths: new StorePaths(root, root, 'overlay'),
      format: layerFormat,
      hidden: (record) => record.flags.incomplete === true,
      onWarning,
      disk: new Disk({ policy: 'none', source: 'the test', wholeFileSystem: false, split: false }),
      ...options,
    });
  }

  function table(options: Partial<RecordTableOptions<LayerRecord>> = {}): RecordTable<LayerRecord> {
    return new RecordTable<LayerRecord>({
      own: filesOf(),
      refuseWrite: undefined,
      assertOpen: () => undefined,
      ...options,
    });
  }

  const ids = (of: RecordTable<LayerRecord>) => of.read((view) => view.all().map(({ id }) => id));

  it('sees what another table of the same files wrote, and nothing that was not saved', async () => {
    writeFileSync(stable(), json({ id: 'aa' }));
    const [one, other] = [table(), table()];
    expect(await ids(one)).toEqual(['aa']);
    await other.write(async (writer) => {
      writer.put({ ...(writer.byId('aa') as LayerRecord), id: 'bb' });
      await writer.save();
      writer.remove('aa');
    });
    expect(await ids(one)).toEqual(['aa', 'bb']);
    expect(await ids(other)).toEqual(['aa', 'bb']);
  });

  it('reads again after an edit by hand, which leaves no token', async () => {
    writeFileSync(stable(), json({ id: 'aa' }));
    const records = table();
    expect(await ids(records)).toEqual(['aa']);
    writeFileSync(stable(), json({ id: 'aa' }, { id: 'cc' }));
    expect(await ids(records)).toEqual(['aa', 'cc']);
  });

  it('writes the token before the file', async () => {
    const lock = join(directory, 'layers.lock');
    const path = join(directory, 'later', 'layers.json');
    const own = filesOf();
    const [main] = own.options.files as [TableFile];
    const records = table({ own: filesOf({ files: [{ ...main, path }] }) });
    await expect(
      records.write(async (writer) => {
        writer.put(layerFormat.parse(json({ id: 'aa' }), 'x')[0] as LayerRecord);
        writeFileSync(join(directory, 'later'), 'in the way of a directory');
        await writer.save();
      }),
    ).rejects.toBeInstanceOf(StorageError);
    expect(readFileSync(lock)).toHaveLength(64);
  });

  it('keeps records in the file that they came from, and rewrites only that one', async () => {
    writeFileSync(stable(), json({ id: 'aa' }));
    writeFileSync(volatile(), json({ id: 'vv' }));
    const before = readFileSync(stable(), 'utf8');
    await table().write(async (writer) => {
      writer.put({ ...(writer.byId('vv') as LayerRecord), names: ['new'] });
      await writer.save();
    });
    expect(readFileSync(stable(), 'utf8')).toBe(before);
    expect(JSON.parse(readFileSync(volatile(), 'utf8'))).toMatchObject([{ id: 'vv', names: ['new'] }]);
  });

  it('of two records with one name the later keeps it', async () => {
    writeFileSync(stable(), json({ id: 'aa', names: ['n', 'm'] }, { id: 'bb', names: ['n'] }));
    const names = await table().read((view) => view.all().map((record) => record.names));
    expect(names).toEqual([['m'], ['n']]);
    expect(warnings).toEqual([expect.objectContaining({ code: 'DUPLICATE_NAME_REPAIRED', object: 'aa' })]);
  });

  it('hides incomplete records, but tells them to who asks', async () => {
    writeFileSync(stable(), json({ id: 'aa' }, { id: 'bb', flags: { incomplete: true } }));
    await table().read((view) => {
      expect(view.all().map(({ id }) => id)).toEqual(['aa']);
      expect(view.find('bb')).toBeUndefined();
      expect(view.hidden().map(({ id }) => id)).toEqual(['bb']);
    });
  });

  it('finds by id before name before unique prefix', async () => {
    writeFileSync(
      stable(),
      json({ id: 'aa11', names: ['bb22'] }, { id: 'bb22' }, { id: 'bb33', names: ['aa'] }),
    );
    await table().read((view) => {
      expect(view.find('bb22')?.id).toBe('bb22');
      expect(view.find('aa')?.id).toBe('bb33');
      expect(view.find('aa1')?.id).toBe('aa11');
      expect(view.find('bb')).toBeUndefined();
    });
  });

  describe('as a snapshot', () => {
    const refuseWrite = (path: string) => new StorageError('STORE_READ_ONLY', path, { hint: 'no' });

    it('makes no lock file, and refuses to write', async () => {
      writeFileSync(stable(), json({ id: 'aa' }));
      const records = table({ refuseWrite });
      expect(await ids(records)).toEqual(['aa']);
      await expect(records.write(() => undefined)).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
      expect(existsSync(join(directory, 'layers.lock'))).toBe(false);
    });

    it('reads again when a writer comes in between', async () => {
      writeFileSync(stable(), json({ id: 'aa' }));
      const lock = join(directory, 'layers.lock');
      writeFileSync(lock, Buffer.alloc(64, 1));
      let reads = 0;
      const format = {
        ...layerFormat,
        parseNext: (readNext: ReadNext) => {
          const found = layerFormat.parseNext(readNext);
          if (++reads === 1) {
            writeFileSync(lock, Buffer.alloc(64, 2));
            writeFileSync(stable(), json({ id: 'aa' }, { id: 'bb' }));
          }
          return found;
        },
      };
      expect(await ids(table({ refuseWrite, own: filesOf({ format }) }))).toEqual(['aa', 'bb']);
      expect(reads).toBe(2);
    });
  });

  describe('with additional stores', () => {
    let elsewhere: string;
    let records: RecordTable<LayerRecord>;
    const additional = (root: string) => filesOf({}, { root, readOnly: true });

    beforeEach(() => {
      elsewhere = join(directory, 'elsewhere');
      mkdirSync(join(elsewhere, 'more'), { recursive: true });
      records = table({ additional: [additional(elsewhere), additional(join(elsewhere, 'more'))] });
      writeFileSync(stable(), json({ id: 'aa' }, { id: 'ab', names: ['own'] }));
      writeFileSync(join(elsewhere, 'layers.json'), json({ id: 'ab', names: ['old'] }, { id: 'cc' }));
      writeFileSync(
        join(elsewhere, 'more/layers.json'),
        json({ id: 'cc', names: ['other'] }, { id: 'cd', names: ['own'] }),
      );
    });

    it('shows its own records first, then those of the others, each with its place', async () => {
      const seen = await records.read((view) =>
        view.everywhere().map(({ record, paths, readOnly }) => [record.id, paths.graphRoot, readOnly]),
      );
      const more = join(elsewhere, 'more');
      expect(seen).toEqual([
        ['aa', directory, false],
        ['ab', directory, false],
        ['ab', elsewhere, true],
        ['cc', elsewhere, true],
        ['cc', more, true],
        ['cd', more, true],
      ]);
      expect(await ids(records)).toEqual(['aa', 'ab']);
    });

    it('finds in its own store first, and does not bring back a name that was taken away there', async () => {
      await records.read((view) => {
        const found = (text: string) => view.locate(text)?.record.id;
        expect(['own', 'other', 'cd', 'a', 'c'].map(found)).toEqual(['ab', 'cc', 'cd', undefined, 'cc']);
        expect(found('old')).toBeUndefined();
        expect(view.locateId('ab')?.readOnly).toBe(false);
        expect(view.locateId('cd')?.paths.graphRoot).toBe(join(elsewhere, 'more'));
        expect(view.find('cc')).toBeUndefined();
        expect(view.idsWithPrefix('c')).toEqual(['cc', 'cd']);
      });
    });

    it('never writes there, even when records could be repaired', async () => {
      const before = readFileSync(join(elsewhere, 'layers.json'), 'utf8');
      await records.write(async (writer) => {
        writer.put({ ...(writer.locate('cc')?.record as LayerRecord), names: ['copy'] });
        writer.remove('ab');
        await writer.save();
      });
      expect(readFileSync(join(elsewhere, 'layers.json'), 'utf8')).toBe(before);
      expect(readFileSync(join(elsewhere, 'layers.lock'))).toHaveLength(0);
      expect(await ids(records)).toEqual(['aa', 'cc']);

      writeFileSync(
        join(elsewhere, 'layers.json'),
        json({ id: 'x', names: ['n'] }, { id: 'y', names: ['n'] }),
      );
      await expect(ids(records)).rejects.toMatchObject({
        code: 'DUPLICATE_NAMES_READ_ONLY',
        message: expect.stringContaining('read-only layer store assigns the same name to multiple layers'),
      });
    });

    it('holds their locks for reading', async () => {
      const other = table({ own: filesOf({}, { root: elsewhere }) });
      const log: string[] = [];
      const reading = records.write(async () => {
        await setTimeout(50);
        log.push('read');
      });
      await setTimeout(10);
      await other.read(() => log.push('read by another'));
      await other.write(() => log.push('written'));
      await reading;
      expect(log).toEqual(['read by another', 'read', 'written']);
    });

    it('reads without a lock where there is none, and sees what changes', async () => {
      rmSync(join(elsewhere, 'more'), { recursive: true });
      const count = () => records.read((view) => view.everywhere().length);
      expect(await count()).toBe(4);
      mkdirSync(join(elsewhere, 'more'));
      writeFileSync(join(elsewhere, 'more/layers.json'), json({ id: 'zz' }));
      expect(await count()).toBe(5);
    });
  });

  it('puts new records where they belong, and tells only those who read that file', async () => {
    const images = join(directory, 'images');
    mkdirSync(images);
    const [main, scratch] = filesOf().options.files as [TableFile, TableFile];
    const imageLock = locks.lock(join(images, 'layers.lock'), { rank: 'layers' });
    const file: TableFile = { path: join(images, 'layers.json'), role: 'images', lock: imageLock };
    const own = filesOf({ files: [main, file, scratch], locks: [main.lock, imageLock] });
    const records = table({ own });
    const [record] = layerFormat.parse(json({ id: 'aa' }), 'x') as [LayerRecord];
    await records.write(async (writer) => {
      writer.put(record, { file: 'images' });
      await writer.save();
    });
    expect(JSON.parse(readFileSync(file.path, 'utf8'))).toMatchObject([{ id: 'aa' }]);
    expect(existsSync(stable())).toBe(false);
    expect(readFileSync(main.lock.path)).toHaveLength(0);
    expect(readFileSync(imageLock.path)).toHaveLength(64);
    await records.write(async (writer) => {
      writer.put({ ...record, names: ['stays'] });
      writer.put({ ...record, id: 'bb' }, { file: 'volatile' });
      await writer.save();
    });
    expect(JSON.parse(readFileSync(file.path, 'utf8'))).toMatchObject([{ id: 'aa', names: ['stays'] }]);
    expect(JSON.parse(readFileSync(volatile(), 'utf8'))).toMatchObject([{ id: 'bb' }]);
    const token = readFileSync(main.lock.path);
    await records.write((writer) => writer.save());
    expect(readFileSync(main.lock.path).equals(token)).toBe(true);
  });

  it('writes a second store for those who ask for it', async () => {
    const root = join(directory, 'second');
    mkdirSync(root);
    writeFileSync(stable(), json({ id: 'aa' }));
    writeFileSync(join(root, 'layers.json'), json({ id: 'bb' }));
    const records = table({ second: filesOf({}, { root }) });
    await records.write(
      async (writer) => {
        expect(writer.writers.map((each) => each.all().map(({ id }) => id))).toEqual([['aa'], ['bb']]);
        const [, second] = writer.writers;
        second?.remove('bb');
        expect(writer.locate('bb')).toBeUndefined();
        await second?.save();
      },
      { everyStore: true },
    );
    expect(readFileSync(join(root, 'layers.json'), 'utf8')).toBe('[]');
    expect(await records.write((writer) => writer.writers.length)).toBe(1);
  });
});
