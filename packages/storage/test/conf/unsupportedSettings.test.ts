import { describe, expect, it } from 'vitest';
import { unsupportedSettings } from '../../src/conf/index.ts';
import { ConfFixture } from './confFixture.ts';

const ADMIN = 'etc/containers/storage.conf';

describe('unsupportedSettings', () => {
  it.each([
    ['storage.options.additionallayerstores', '[storage.options]\nadditionallayerstores = ["/l"]\n', '/l'],
    ['storage.options.force_mask', '[storage.options]\nforce_mask = 0o700\n', '700'],
    ['storage.options.overlay.force_mask', '[storage.options.overlay]\nforce_mask = "shared"\n', 'shared'],
    ['storage.options.overlay.use_composefs', '[storage.options.overlay]\nuse_composefs = "true"\n', 'true'],
    ['storage.options.size', '[storage.options]\nsize = "1G"\n', '1G'],
    ['storage.options.overlay.inodes', '[storage.options.overlay]\ninodes = "9"\n', '9'],
    ['storage.options.strip_suid_sgid', '[storage.options]\nstrip_suid_sgid = true\n', 'true'],
  ])('names %s', async (key, content, value) => {
    using fixture = new ConfFixture();
    fixture.file(ADMIN, content);
    const conf = await fixture.load();
    expect(unsupportedSettings(conf)).toEqual([
      { key, value, reason: expect.stringContaining('not supported') },
    ]);
    expect(ConfFixture.source(conf, key)).toContain('storage.conf');
  });

  it('names options by the text they were given as', async () => {
    using fixture = new ConfFixture();
    const conf = await fixture.load({ env: { STORAGE_OPTS: 'overlay.force_mask=700' } });
    expect(unsupportedSettings(conf)).toMatchObject([{ key: 'overlay.force_mask', value: '700' }]);
    expect(ConfFixture.source(conf, 'overlay.force_mask')).toBe('STORAGE_OPTS');
  });

  it.each([
    ['composefs that is off', 'overlay.use_composefs=false'],
    ['quotas of zero', 'size=0,overlay.inodes=0'],
    ['other drivers', 'zfs.size=1G'],
    [
      'supported options',
      'overlay.mountopt=nodev,overlay.ignore_chown_errors=true,skip_mount_home=true,overlay.sync=filesystem',
    ],
  ])('does not mind %s', async (_, options) => {
    using fixture = new ConfFixture();
    expect(unsupportedSettings(await fixture.load({ env: { STORAGE_OPTS: options } }))).toEqual([]);
  });

  it('minds options for the driver in use only', async () => {
    using fixture = new ConfFixture();
    const env = { STORAGE_OPTS: 'overlay.force_mask=shared' };
    expect(unsupportedSettings(await fixture.load({ env, overrides: { driver: 'vfs' } }))).toEqual([]);
    expect(unsupportedSettings(await fixture.load({ env, overrides: { driver: 'overlay' } }))).toHaveLength(
      1,
    );
  });
});
