import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportDestination } from '../../src/commandLine/exportDestination.ts';
import { isStandardOutput } from '../../src/commandLine/standardStreams.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sediment-cli-'));
  mkdirSync(join(directory, 'there'));
  writeFileSync(join(directory, 'file'), '');
  writeFileSync(join(directory, 'oci:file'), '');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('exportDestination', () => {
  it.each([
    ['-', { transport: 'oci-archive', path: '-' }],
    ['/nowhere/app.tar', { transport: 'oci-archive', path: '/nowhere/app.tar' }],
    ['/nowhere/app/', { transport: 'oci', path: '/nowhere/app/' }],
    ['/dev/null', { transport: 'oci-archive', path: '/dev/null' }],
    ['docker-archive:x.tar', { transport: 'docker-archive', path: 'x.tar' }],
    ['oci:x:app', { transport: 'oci', path: 'x', select: { name: 'app' } }],
    ['dir:x', { transport: 'dir', path: 'x' }],
  ])('%s', async (text, expected) => {
    expect(await exportDestination(text)).toEqual(expected);
  });

  it('looks at what is there', async () => {
    const at = (name: string) => join(directory, name);
    expect(await exportDestination(at('there'))).toEqual({ transport: 'oci', path: at('there') });
    expect(await exportDestination(at('file'))).toEqual({ transport: 'oci-archive', path: at('file') });
    expect(await exportDestination(at('oci:file'))).toMatchObject({ path: at('oci:file') });
  });

  it.each([
    ['/nowhere/app', 'REFERENCE_INVALID', 'could become a file or a directory'],
    ['app.tar.gz', 'REFERENCE_INVALID', 'could become a file or a directory'],
    ['oci:', 'REFERENCE_INVALID', 'the path is missing'],
    ['oci:x:@1', 'REFERENCE_INVALID', 'Invalid image @1'],
    ['containers-storage:app', 'REFERENCE_INVALID', 'it is a store'],
    ['docker://host/app', 'TRANSPORT_UNSUPPORTED', 'the transport docker is not supported'],
    ['app:1', 'TRANSPORT_UNKNOWN', 'unknown transport "app"'],
  ])('%s is refused', async (text, code, message) => {
    await expect(exportDestination(text)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
      hint: expect.stringMatching(/./),
    });
  });
});

describe('isStandardOutput', () => {
  it.each(['-', '/dev/stdout', 'docker-archive:-', 'oci-archive:/dev/stdout:app:1', 'oci-archive:-:x'])(
    '%s',
    (text) => {
      expect(isStandardOutput(text)).toBe(true);
    },
  );

  it.each(['./-', 'oci:-', 'dir:/dev/stdout', 'x:-', '--', '/dev/stdout1'])('%s is not', (text) => {
    expect(isStandardOutput(text)).toBe(false);
  });
});
