import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StorageError, type Warning } from '@sediment/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LockManager } from '../../src/locks/index.ts';
import { type LayerRecord, layerFormat } from '../../src/records/layerRecord.ts';
import { StorePaths } from '../../src/store/storePaths.ts';
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

  function table(options: Partial<RecordTableOptions<LayerRecord>> = {}): RecordTable<LayerRecord> {
    const onWarning = (warning: Warning) => void warnings.push(warning);
    const locks = new LockManager({ backend: 'fcntl', onWarning });
    return new RecordTable<LayerRecord>({
      kind: 'layer',
      files: [
        { path: stable(), volatile: false },
        { path: volatile(), volatile: true },
      ],
      lock: locks.lock(join(directory, 'layers.lock'), { rank: 'layers' }),
      paths: new StorePaths(directory, directory, 'overlay'),
      refuseWrite: undefined,
      assertOpen: () => undefined,
      format: layerFormat,
      hidden: (record) => record.flags.incomplete === true,
      onWarning,
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
    const records = table({
      files: [{ path: join(directory, 'missing', 'layers.json'), volatile: false }],
    });
    await expect(
      records.write(async (writer) => {
        writer.put(layerFormat.parse(json({ id: 'aa' }), 'x')[0] as LayerRecord);
        await writer.save();
      }),
    ).rejects.toBeInstanceOf(StorageError);
    expect(readFileSync(lock)).toHaveLength(64);
    expect(await ids(records)).toEqual([]);
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
        parse: (content: Uint8Array | string, path: string) => {
          if (path === stable() && ++reads === 1) {
            writeFileSync(lock, Buffer.alloc(64, 2));
            writeFileSync(stable(), json({ id: 'aa' }, { id: 'bb' }));
          }
          return layerFormat.parse(content, path);
        },
      };
      expect(await ids(table({ refuseWrite, format }))).toEqual(['aa', 'bb']);
      expect(reads).toBe(2);
    });
  });
});
