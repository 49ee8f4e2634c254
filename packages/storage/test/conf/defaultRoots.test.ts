import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultRunRoot } from '../../src/conf/defaultRoots.ts';
import { ConfFixture } from './confFixture.ts';

describe('defaultRunRoot of a rootless user', () => {
  /** Options whose `/run/user` and temporary directory lie in the fixture. */
  const optionsIn = (fixture: ConfFixture) => ({
    env: { TMPDIR: join(fixture.root, 'tmp') },
    uid: 1000,
    home: fixture.home,
    runUser: join(fixture.root, 'run/user'),
  });
  const directory = (path: string, mode: number) => {
    mkdirSync(path, { recursive: true });
    chmodSync(path, mode);
    return path;
  };

  it('is in the login directory when only the user can write there', () => {
    using fixture = new ConfFixture();
    const login = directory(join(fixture.root, 'run/user/1000'), 0o755);
    expect(defaultRunRoot(optionsIn(fixture))).toBe(join(login, 'containers'));
  });

  it.each([0o770, 0o702, 0o500])('is elsewhere when the mode of the login directory is %o', (mode) => {
    using fixture = new ConfFixture();
    directory(join(fixture.root, 'run/user/1000'), mode);
    expect(defaultRunRoot(optionsIn(fixture))).toBe(join(fixture.root, 'tmp/storage-run-1000/containers'));
  });

  it('is in the temporary directory when there is no login directory', () => {
    using fixture = new ConfFixture();
    directory(join(fixture.root, 'tmp/storage-run-1000'), 0o700);
    expect(defaultRunRoot(optionsIn(fixture))).toBe(join(fixture.root, 'tmp/storage-run-1000/containers'));
  });

  it('is refused when others can write to the temporary directory', () => {
    using fixture = new ConfFixture();
    const path = directory(join(fixture.root, 'tmp/storage-run-1000'), 0o777);
    expect(() => defaultRunRoot(optionsIn(fixture))).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
    expect(() => defaultRunRoot(optionsIn(fixture))).toThrow(path);
  });

  it.skipIf(process.getuid?.() !== 0)('is refused when the directory is another user (needs root)', () => {
    using fixture = new ConfFixture();
    chownSync(directory(join(fixture.root, 'tmp/storage-run-1000'), 0o700), 4321, 4321);
    expect(() => defaultRunRoot(optionsIn(fixture))).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });

  it('is refused when XDG_RUNTIME_DIR does not exist', () => {
    using fixture = new ConfFixture();
    const options = { ...optionsIn(fixture), env: { XDG_RUNTIME_DIR: join(fixture.root, 'none') } };
    expect(() => defaultRunRoot(options)).toThrow(/XDG_RUNTIME_DIR/);
  });
});
