import { rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { LockFile, LockGuard } from '../locks/index.ts';
import { atomicWrite } from '../records/atomicWrite.ts';
import { type MountpointRecord, mountpointFormat } from '../records/mountpointRecord.ts';
import { readRecordFile } from '../records/recordFile.ts';
import { listTempFiles } from '../store/removeTempFiles.ts';

/**
 * The mount counts that all programs share (`mountpoints.json` in the run root). A count says how
 * often a layer was asked to be mounted, not that it is mounted: after a restart or an unmount by
 * hand it is stale, so callers check with the kernel.
 */
export class MountCounts {
  readonly #path: string;
  readonly #lock: LockFile;
  readonly #snapshot: boolean;

  constructor(path: string, lock: LockFile, snapshot: boolean) {
    this.#path = path;
    this.#lock = lock;
    this.#snapshot = snapshot;
  }

  async list(): Promise<readonly MountpointRecord[]> {
    return this.#snapshot ? await this.#load() : await this.#lock.withRead(() => this.#load());
  }

  async get(layerId: string): Promise<MountpointRecord | undefined> {
    return (await this.list()).find((record) => record.id === layerId);
  }

  /**
   * Runs `fn` under the write lock with the present record of a layer. What it returns (a record, or
   * undefined for "not mounted") replaces that record.
   */
  async update(
    layerId: string,
    fn: (present: MountpointRecord | undefined) => MountpointRecord | undefined,
  ): Promise<MountpointRecord | undefined> {
    return await this.#lock.withWrite(async (guard) => {
      const records = await this.#load();
      const at = records.findIndex((record) => record.id === layerId);
      const present = at < 0 ? undefined : records[at];
      const next = fn(present);
      if (next?.count === present?.count && next?.path === present?.path) return next;
      const others = records.filter((record) => record.id !== layerId);
      if (next !== undefined) others.splice(at < 0 ? others.length : at, 0, next);
      await this.#save(others, guard);
      return next;
    });
  }

  /** Removes temporary files of killed programs, if there are any. */
  async removeTempFiles(): Promise<void> {
    const leftOver = () => listTempFiles(dirname(this.#path), basename(this.#path));
    if (leftOver().length === 0) return;
    await this.#lock.withWrite(() => {
      for (const path of leftOver()) rmSync(path, { force: true });
    });
  }

  async #load(): Promise<readonly MountpointRecord[]> {
    return (await readRecordFile(this.#path, mountpointFormat)).records;
  }

  async #save(records: readonly MountpointRecord[], guard: LockGuard): Promise<void> {
    const content = mountpointFormat.serialize(records, this.#path);
    guard.writeToken();
    await atomicWrite(this.#path, content, { sync: true });
  }
}
