/** The complete tree of a layer, opened for reading. Whoever got it closes it. */
export interface OpenedTree {
  /** Descriptor of its root directory. */
  readonly fd: number;
  close(): void;
}
