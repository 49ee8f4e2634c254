/**
 * How often this object's user has asked for each mount. The kernel knows better whether there is a
 * mount: one that was there before counts as one use by someone else, one that is gone as none.
 */
export class MountUses {
  readonly #uses = new Map<string, number>();

  /** @param mounted whether the kernel shows the mount, before this use */
  add(path: string, mounted: boolean): void {
    this.#uses.set(path, this.#known(path, mounted) + 1);
  }

  /** @returns how many uses are left */
  remove(path: string, mounted: boolean): number {
    const left = Math.max(0, this.#known(path, mounted) - 1);
    if (left === 0) this.#uses.delete(path);
    else this.#uses.set(path, left);
    return left;
  }

  forget(path: string): void {
    this.#uses.delete(path);
  }

  #known(path: string, mounted: boolean): number {
    return mounted ? (this.#uses.get(path) ?? 1) : 0;
  }
}
