import { describe, expect, it } from 'vitest';
import { readImageConfig } from '../../src/documents/imageConfig.ts';
import { json } from '../support/imageParts.ts';
import { storageErrorOf } from '../support/storageErrorOf.ts';

const DIFF_ID = `sha256:${'1'.repeat(64)}`;

function read(value: unknown) {
  return readImageConfig({ bytes: json(value), what: 'config x', path: '/a/b' });
}

describe('the time of a config', () => {
  it.each([
    ['2021-03-04T05:06:07.123456789Z', '2021-03-04T05:06:07.123456789Z'],
    ['2021-03-04T05:06:07.500000000+02:00', '2021-03-04T05:06:07.5+02:00'],
    ['2021-03-04T05:06:07.000Z', '2021-03-04T05:06:07Z'],
    ['2021-03-04T05:06:07+00:00', '2021-03-04T05:06:07Z'],
    ['2021-03-04T05:06:07.1234567891Z', '2021-03-04T05:06:07.123456789Z'],
    ['0001-01-01T00:00:00Z', undefined],
    [null, undefined],
    [undefined, undefined],
  ])('%s is kept as Go prints it: %s', (text, expected) => {
    expect(read({ created: text }).created).toBe(expected);
  });

  it.each([
    'not a time',
    '2021-03-04',
    '2021-02-30T00:00:00Z',
    '2021-03-04T24:00:00Z',
    '2021-03-04T05:06:60Z',
    '2021-03-04T05:06:07+24:00',
    '2021-03-04T05:06:07',
    12,
  ])('%s is refused', async (created) => {
    const error = await storageErrorOf(() => read({ created }));
    expect(error.code).toBe('IMAGE_CONFIG_INVALID');
    expect(error.message).toContain('config x: field "created"');
    expect(error.facts).toMatchObject({ object: 'config x', path: '/a/b' });
  });
});

describe('a config', () => {
  it('names platform and layers', () => {
    const config = { os: 'linux', architecture: 'arm', variant: 'v7', rootfs: { diff_ids: [DIFF_ID] } };
    expect(read(config)).toEqual({
      platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
      diffIDs: [DIFF_ID],
      hasRootfs: true,
    });
  });

  it('may name neither', () => {
    expect(read({ os: 'linux', architecture: '' })).toEqual({ diffIDs: [], hasRootfs: false });
    expect(read({ rootfs: { diff_ids: null } })).toEqual({ diffIDs: [], hasRootfs: true });
  });

  it.each([
    ['IMAGE_CONFIG_INVALID', [], ''],
    ['IMAGE_CONFIG_INVALID', { rootfs: { diff_ids: [1] } }, 'rootfs.diff_ids.0'],
    ['IMAGE_CONFIG_INVALID', { rootfs: 'layers' }, 'rootfs'],
    ['DIGEST_INVALID', { rootfs: { diff_ids: ['sha256:../../x'] } }, 'DiffID 0 of config x'],
    ['NOT_SUPPORTED', { rootfs: { diff_ids: [`sha512:${'1'.repeat(128)}`] } }, 'DiffID 0 of config x'],
  ])('is refused with %s: %j', async (code, value, text) => {
    const error = await storageErrorOf(() => read(value));
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
    expect(error.hint).toBeTruthy();
  });

  it('must be JSON without a byte order mark', async () => {
    for (const text of ['{', '', '\uFEFF{}', 'nul']) {
      const bytes = Buffer.from(text);
      const error = await storageErrorOf(() => readImageConfig({ bytes, what: 'config x', path: '/a' }));
      expect(error.code).toBe('IMAGE_CONFIG_INVALID');
      expect(error.message).toContain('config x: it is not valid JSON');
    }
  });
});
