import type { TarHeader } from '@sediment/codec';
import type { FileTimes } from '@sediment/posix';
import { directoryTimes } from './entryTimes.ts';

const FIRST_CAPACITY = 256;
const BLOCK_SIZE = 64 * 1024;

/**
 * The directories of a layer and their times, to be set when all is unpacked. A layer may have hundreds of thousands
 * of them, hence bytes: a kept header takes twenty times as much, and holds on to the memory that its name is part of.
 */
export class DirectoryTimes {
  readonly #blocks: Buffer[] = [];
  /** How much of the last block is used. */
  #used = BLOCK_SIZE;
  /** For each directory the block of its name, where it begins there, and its length. */
  #names = new Uint32Array(FIRST_CAPACITY * 3);
  /** Modification and access time of each. */
  #times = new BigInt64Array(FIRST_CAPACITY * 2);
  #count = 0;

  add(header: TarHeader): void {
    const { name } = header;
    const { mtimeNs, atimeNs } = directoryTimes(header);
    if (this.#used + name.length > BLOCK_SIZE) {
      this.#blocks.push(Buffer.allocUnsafeSlow(Math.max(name.length, BLOCK_SIZE)));
      this.#used = 0;
    }
    if (this.#count * 2 === this.#times.length) this.#grow();
    const block = this.#blocks.length - 1;
    this.#names.set([block, this.#used, name.length], this.#count * 3);
    this.#times[this.#count * 2] = mtimeNs;
    this.#times[this.#count * 2 + 1] = atimeNs;
    (this.#blocks[block] as Buffer).set(name, this.#used);
    this.#used += name.length;
    this.#count++;
  }

  /** In the order of the layer; names are as in the tar. */
  forEach(take: (name: Buffer, times: FileTimes) => void): void {
    for (let i = 0; i < this.#count; i++) {
      const [block = 0, start = 0, length = 0] = this.#names.subarray(i * 3, i * 3 + 3);
      const name = (this.#blocks[block] as Buffer).subarray(start, start + length);
      const [mtimeNs, atimeNs] = this.#times.subarray(i * 2, i * 2 + 2);
      take(name, { mtimeNs, atimeNs });
    }
  }

  #grow(): void {
    const [names, times] = [this.#names, this.#times];
    this.#names = new Uint32Array(names.length * 2);
    this.#times = new BigInt64Array(times.length * 2);
    this.#names.set(names);
    this.#times.set(times);
  }
}
