import { HalfSipHash } from './halfSipHash.ts';

const FIRST_CAPACITY = 1024;
/** Names lie one after the other in blocks of this size, each behind its length in two bytes. */
const BLOCK_BITS = 16;
const BLOCK_SIZE = 1 << BLOCK_BITS;
const LONG = 4096;
const MAX_END = 2 ** 32;
const EMPTY = 0;

/**
 * A set of paths that are bytes, exact. Takes the length of a path and some 16 bytes for each one, a third of a
 * `Set` of strings, and half the time.
 */
export class PathSet {
  readonly #hash: HalfSipHash;
  readonly #blocks: Buffer[] = [];
  /** Where the next path goes, counted through all blocks. */
  #end = 0;
  /** For each place of the table: where the path lies, plus 1, or {@link EMPTY}; and its hash. */
  #places = new Uint32Array(FIRST_CAPACITY);
  #hashes = new Int32Array(FIRST_CAPACITY);
  #size = 0;
  /** Paths that would waste much of a block. */
  readonly #long = new Set<string>();

  constructor() {
    // Whoever makes a layer cannot know it, and therefore not choose names that all meet at one place.
    this.#hash = new HalfSipHash(Int32Array.of(randomWord(), randomWord()));
  }

  /** Adds a path; false if it is there already. */
  add(path: Uint8Array): boolean {
    if (path.length >= LONG) return this.#addLong(path);
    const hash = this.#hash.of(path);
    const mask = this.#places.length - 1;
    let at = hash & mask;
    for (let place = this.#places[at] as number; place !== EMPTY; place = this.#places[at] as number) {
      if (this.#hashes[at] === hash && this.#holds(place - 1, path)) return false;
      at = (at + 1) & mask;
    }
    this.#places[at] = this.#store(path) + 1;
    this.#hashes[at] = hash;
    this.#size++;
    if (this.#size * 2 > this.#places.length) this.#grow();
    return true;
  }

  #addLong(path: Uint8Array): boolean {
    const before = this.#long.size;
    this.#long.add(Buffer.from(path.buffer, path.byteOffset, path.length).toString('latin1'));
    return this.#long.size > before;
  }

  #holds(place: number, path: Uint8Array): boolean {
    const block = this.#blocks[place >>> BLOCK_BITS] as Buffer;
    const start = place & (BLOCK_SIZE - 1);
    if (((block[start] as number) | ((block[start + 1] as number) << 8)) !== path.length) return false;
    for (let i = 0; i < path.length; i++) if (block[start + 2 + i] !== path[i]) return false;
    return true;
  }

  #store(path: Uint8Array): number {
    const { length } = path;
    // Counted from the end: after a block that is full to its last byte, the next place is in no block yet.
    if (length + 2 > this.#blocks.length * BLOCK_SIZE - this.#end) {
      this.#end = this.#blocks.length * BLOCK_SIZE;
      if (this.#end + BLOCK_SIZE > MAX_END) throw new RangeError('more than 4 GiB of paths in one layer');
      this.#blocks.push(Buffer.allocUnsafeSlow(BLOCK_SIZE));
    }
    const place = this.#end;
    const block = this.#blocks[this.#blocks.length - 1] as Buffer;
    const start = place & (BLOCK_SIZE - 1);
    block[start] = length;
    block[start + 1] = length >> 8;
    for (let i = 0; i < length; i++) block[start + 2 + i] = path[i] as number;
    this.#end += length + 2;
    return place;
  }

  #grow(): void {
    const [places, hashes] = [this.#places, this.#hashes];
    this.#places = new Uint32Array(places.length * 2);
    this.#hashes = new Int32Array(places.length * 2);
    const mask = this.#places.length - 1;
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as number;
      if (place === EMPTY) continue;
      let at = (hashes[i] as number) & mask;
      while (this.#places[at] !== EMPTY) at = (at + 1) & mask;
      this.#places[at] = place;
      this.#hashes[at] = hashes[i] as number;
    }
  }
}

function randomWord(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
