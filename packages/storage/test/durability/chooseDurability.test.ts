import { isStorageError } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import { chooseDurability } from '../../src/durability/chooseDurability.ts';
import { checkDurability, type Durability } from '../../src/durability/durability.ts';
import { openStore } from '../../src/index.ts';
import { ConfFixture } from '../conf/confFixture.ts';
import { noStore, TempRoots } from '../support/tempStore.ts';

async function chosen(text: string, request: { option?: Durability; driver?: string; env?: object } = {}) {
  using fixture = new ConfFixture();
  const configFile = fixture.file('storage.conf', text);
  const conf = await fixture.load({ configFile, env: { ...request.env } });
  const { option, driver = 'overlay' } = request;
  const { source, ...choice } = chooseDurability({ option, conf, driver });
  return { ...choice, source: source === configFile ? 'file' : source };
}

const sync = (value: string, driver = 'overlay') => `[storage.options.${driver}]\nsync = "${value}"\n`;

describe('The durability policy', () => {
  it('is ordered, if nobody says anything', async () => {
    expect(await chosen('')).toEqual({ policy: 'ordered', source: 'default', wholeFileSystem: false });
  });

  it('follows the driver option sync', async () => {
    expect(await chosen(sync('none'))).toEqual({ policy: 'none', source: 'file', wholeFileSystem: false });
    expect(await chosen(sync('filesystem'))).toEqual({
      policy: 'ordered',
      source: 'file',
      wholeFileSystem: true,
    });
    expect(await chosen('', { env: { STORAGE_OPTS: 'overlay.sync=none' } })).toMatchObject({
      policy: 'none',
      source: 'STORAGE_OPTS',
    });
    expect(await chosen('', { env: { STORAGE_OPTS: 'sync=none,overlay2.sync=filesystem' } })).toMatchObject({
      policy: 'ordered',
      source: 'STORAGE_OPTS',
    });
  });

  it('does not follow the option of another driver', async () => {
    expect(await chosen(sync('none'), { driver: 'vfs' })).toMatchObject({ source: 'default' });
    expect(await chosen(sync('none', 'vfs'), { driver: 'vfs' })).toMatchObject({ policy: 'none' });
  });

  it('is the one that the caller asks for, above all else', async () => {
    expect(await chosen(sync('none'), { option: 'full' })).toMatchObject({
      policy: 'full',
      source: 'option',
    });
    expect(await chosen(sync('filesystem'), { option: 'none' })).toMatchObject({ policy: 'none' });
    // How data is written is another question.
    expect(await chosen(sync('filesystem'), { option: 'full' })).toMatchObject({ wholeFileSystem: true });
  });

  it('is one of three words', async () => {
    const wrong = 'always' as Durability;
    expect(() => checkDurability(wrong)).toThrow('durability "always" is not known');
    const error: unknown = await openStore({ durability: wrong }).catch((reason: unknown) => reason);
    expect(isStorageError(error, 'CONFIG_INVALID')).toBe(true);
    expect(error).toMatchObject({ hint: 'it must be one of "none", "ordered", "full"' });
  });
});

describe.skipIf(noStore !== undefined)(`An open store (${noStore ?? 'root'})`, () => {
  it('tells its policy', async () => {
    const roots = new TempRoots();
    try {
      const full = await roots.open({ durability: 'full' });
      expect((await full.info()).durability).toEqual({ policy: 'full', source: 'option' });
      const usual = await roots.open();
      expect((await usual.info()).durability).toEqual({ policy: 'ordered', source: 'default' });
    } finally {
      await roots.cleanup();
    }
  });
});
