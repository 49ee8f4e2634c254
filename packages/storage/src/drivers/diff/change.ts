/** What became of a file. */
export type ChangeKind = 'modify' | 'add' | 'delete';

/** One difference between two trees. */
export interface TreeChange {
  /** From the root of the layer, with a leading slash; the bytes of the name. */
  readonly path: Buffer;
  readonly kind: ChangeKind;
}

/** Whether two times are the same, for archives that keep whole seconds. */
export function sameTime(one: bigint, other: bigint): boolean {
  if (one === other) return true;
  const [oneRest, otherRest] = [one % SECOND_NS, other % SECOND_NS];
  return one - oneRest === other - otherRest && (oneRest === 0n || otherRest === 0n);
}

const SECOND_NS = 1_000_000_000n;
