/** Content of the layer, uncompressed, in pieces of this size. */
export const SLOT_BYTES = 512 * 1024;
export const SLOTS = 8;
/** Files that are handed over together, and how many such batches may wait: at most so many descriptors are open. */
export const BATCH_FILES = 32;
export const BATCHES = 8;

/** How long a thread sleeps before it looks whether it shall stop. */
const POLL_MS = 20;

const SIGNAL = 0;
const MODE = 1;
const ROOM_WANTED = 2;
const SLOT_FIELDS = 3;
const FIELDS_PER_SLOT = 4;
const BATCH_FIELDS = SLOT_FIELDS + SLOTS * FIELDS_PER_SLOT;
const FIELDS_PER_BATCH = 5;
const CONTROL_INTS = BATCH_FIELDS + BATCHES * FIELDS_PER_BATCH;
/** fd, offset in the slot, length. */
const INTS_PER_FILE = 3;
/** Modification and access time. */
const LONGS_PER_FILE = 2;

const FILES = BATCHES * BATCH_FILES;
const TIMES_AT = 8 * Math.ceil(CONTROL_INTS / 2);
const FILES_AT = TIMES_AT + 8 * FILES * LONGS_PER_FILE;
const SLOTS_AT = 4096 * Math.ceil((FILES_AT + 4 * FILES * INTS_PER_FILE) / 4096);

/** What the consumer wants of the producer. */
export const SPLIT_MODE = { content: 0, digestOnly: 1, closed: 2 } as const;

/** Numbers in shared memory that both threads change, each by its index in the control array. */
export interface SlotFields {
  /** One of `SLOT_STATE`. */
  readonly state: number;
  /** Whether the slot has content, or the producer's last message. */
  readonly kind: number;
  readonly length: number;
  /** Who still reads the slot: the consumer, and batches of files. */
  readonly users: number;
}

/** As {@link SlotFields}. */
export interface BatchFields {
  readonly state: number;
  readonly slot: number;
  /** Files in the batch, and how many of them are written. */
  readonly count: number;
  readonly done: number;
  /** Why the descriptor of the file behind those could not be closed; 0 if that was not tried. */
  readonly closeErrno: number;
}

/** A file whose content lies whole in one slot. */
export interface HandedFile {
  readonly fd: number;
  readonly offset: number;
  readonly length: number;
  readonly mtimeNs: bigint;
  readonly atimeNs: bigint;
}

/** The memory that the two threads of a layer share: slots with content, batches of files, who may touch what. */
export class SplitMemory {
  readonly buffer: SharedArrayBuffer;
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly slots: readonly SlotFields[];
  readonly batches: readonly BatchFields[];
  readonly contents: readonly Buffer[];
  readonly #files: Int32Array;
  readonly #times: BigInt64Array;

  /** @param buffer of the other thread; a new one if absent */
  constructor(buffer = new SharedArrayBuffer(SLOTS_AT + SLOTS * SLOT_BYTES)) {
    this.buffer = buffer;
    this.control = new Int32Array(buffer, 0, CONTROL_INTS);
    this.#times = new BigInt64Array(buffer, TIMES_AT, FILES * LONGS_PER_FILE);
    this.#files = new Int32Array(buffer, FILES_AT, FILES * INTS_PER_FILE);
    this.slots = Array.from({ length: SLOTS }, (_, i) => {
      const at = SLOT_FIELDS + i * FIELDS_PER_SLOT;
      return { state: at, kind: at + 1, length: at + 2, users: at + 3 };
    });
    this.batches = Array.from({ length: BATCHES }, (_, i) => {
      const at = BATCH_FIELDS + i * FIELDS_PER_BATCH;
      return { state: at, slot: at + 1, count: at + 2, done: at + 3, closeErrno: at + 4 };
    });
    this.contents = Array.from({ length: SLOTS }, (_, i) =>
      Buffer.from(buffer, SLOTS_AT + i * SLOT_BYTES, SLOT_BYTES),
    );
  }

  /** Where the content of a slot begins in the buffer. */
  contentAt(slot: number): number {
    return SLOTS_AT + slot * SLOT_BYTES;
  }

  get mode(): number {
    return Atomics.load(this.control, MODE);
  }

  /** Never goes back. */
  setMode(mode: number): void {
    if (mode <= this.mode) return;
    Atomics.store(this.control, MODE, mode);
    this.changed();
  }

  /** Whether the consumer lacks descriptors, and the producer shall close what it can do without. */
  get roomWanted(): boolean {
    return Atomics.load(this.control, ROOM_WANTED) === 1;
  }

  set roomWanted(wanted: boolean) {
    Atomics.store(this.control, ROOM_WANTED, wanted ? 1 : 0);
    this.changed();
  }

  /** Wakes the other thread, which looks at what it waits for. */
  changed(): void {
    Atomics.add(this.control, SIGNAL, 1);
    Atomics.notify(this.control, SIGNAL);
  }

  /** Blocks this thread until `attempt` gives something. It may work meanwhile; `checkpoint` may throw. */
  waitFor<T>(attempt: () => T | undefined, checkpoint: () => void): T {
    for (;;) {
      const seen = Atomics.load(this.control, SIGNAL);
      const result = attempt();
      if (result !== undefined) return result;
      checkpoint();
      Atomics.wait(this.control, SIGNAL, seen, POLL_MS);
    }
  }

  /** Gives a slot back to the producer when nobody reads it any more. */
  leaveSlot(index: number): void {
    const { users, state } = this.slots[index] as SlotFields;
    if (Atomics.sub(this.control, users, 1) > 1) return;
    Atomics.store(this.control, state, 0);
    this.changed();
  }

  setFile(batch: number, index: number, file: HandedFile): void {
    const at = batch * BATCH_FILES + index;
    this.#files[at * INTS_PER_FILE] = file.fd;
    this.#files[at * INTS_PER_FILE + 1] = file.offset;
    this.#files[at * INTS_PER_FILE + 2] = file.length;
    this.#times[at * LONGS_PER_FILE] = file.mtimeNs;
    this.#times[at * LONGS_PER_FILE + 1] = file.atimeNs;
  }

  getFile(batch: number, index: number): HandedFile {
    const at = batch * BATCH_FILES + index;
    return {
      fd: this.#files[at * INTS_PER_FILE] as number,
      offset: this.#files[at * INTS_PER_FILE + 1] as number,
      length: this.#files[at * INTS_PER_FILE + 2] as number,
      mtimeNs: this.#times[at * LONGS_PER_FILE] as bigint,
      atimeNs: this.#times[at * LONGS_PER_FILE + 1] as bigint,
    };
  }
}
