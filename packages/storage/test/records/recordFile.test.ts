import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ZERO_TIME } from '../../src/records/goTime.ts';
import { type LayerRecord, layerFormat } from '../../src/records/layerRecord.ts';
import { readRecordFile, writeRecordFile } from '../../src/records/recordFile.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sediment-records-'));
  path = join(directory, 'layers.json');
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('readRecordFile', () => {
  it('finds no records where there is no file', async () => {
    expect(await readRecordFile(path, layerFormat)).toEqual({ records: [], mtimeNs: undefined });
    expect(await readRecordFile(join(directory, 'none/layers.json'), layerFormat)).toMatchObject({
      records: [],
    });
  });

  it('reads what was written, with its time stamp', async () => {
    const records = layerFormat.parse('[{"id":"a","future":[1]}]', path);
    const mtimeNs = await writeRecordFile(path, layerFormat, records, { sync: true });
    expect(readFileSync(path, 'utf8')).toBe(`[{"id":"a","created":"${ZERO_TIME}","future":[1]}]`);
    expect(await readRecordFile(path, layerFormat)).toEqual({ records, mtimeNs });
    expect(statSync(path, { bigint: true }).mtimeNs).toBe(mtimeNs);
  });

  it('refuses a damaged file and leaves it alone', async () => {
    writeFileSync(path, '[{"id":"a"');
    await expect(readRecordFile(path, layerFormat)).rejects.toMatchObject({ code: 'RECORD_INVALID' });
    expect(readFileSync(path, 'utf8')).toBe('[{"id":"a"');
  });

  it('refuses a directory', async () => {
    mkdirSync(path);
    await expect(readRecordFile(path, layerFormat)).rejects.toMatchObject({ code: 'IO', facts: { path } });
  });
});

describe('writeRecordFile', () => {
  it('touches no file when a record is wrong', async () => {
    const wrong = { ...(layerFormat.parse('[{"id":"a"}]', path)[0] as LayerRecord), created: 'now' };
    await expect(writeRecordFile(path, layerFormat, [wrong], { sync: true })).rejects.toMatchObject({
      code: 'RECORD_INVALID',
    });
    expect(existsSync(path)).toBe(false);
  });
});
