import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { StorageError, type Warning } from '@sediment/core';
import { type LoadStorageConfOptions, loadStorageConf, type StorageConf } from '../../src/conf/index.ts';

/** A root directory with configuration files, a home and no variables but those given. */
export class ConfFixture implements Disposable {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'sediment-conf-')));
  readonly home = join(this.root, 'home/user');
  readonly warnings: Warning[] = [];

  /** Writes a file below the root and returns its path. */
  file(path: string, content: string): string {
    const full = join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
    return full;
  }

  async load(options: Partial<LoadStorageConfOptions> = {}): Promise<StorageConf> {
    return await loadStorageConf({
      env: {},
      uid: 0,
      home: this.home,
      root: this.root,
      onWarning: (warning) => this.warnings.push(warning),
      ...options,
    });
  }

  /** The error that loading gives; fails when it gives none. */
  async loadError(options: Partial<LoadStorageConfOptions> = {}): Promise<StorageError> {
    const error: unknown = await this.load(options).then(
      (conf) => new Error(`no error, but ${JSON.stringify(conf)}`),
      (reason: unknown) => reason,
    );
    if (error instanceof StorageError) return error;
    throw error;
  }

  /** Where a key's value comes from. */
  static source(conf: StorageConf, key: string): string | undefined {
    return conf.settings.find((setting) => setting.key === key)?.source;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}
