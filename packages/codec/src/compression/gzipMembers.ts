import { type BlockSlot, workOnBlocks } from './blockQueue.ts';
import { type DeflateTurns, deflateTurns } from './deflateTurns.ts';
import type { Encoder } from './encoder.ts';

/** Makes gzip members of blocks, one at a time, outside of this thread. */
export interface MemberCompressor {
  /** A whole member, valid until the next call; the block does not change until it settles. */
  compress(block: Uint8Array): Promise<Uint8Array>;
  /** Called when nothing is being compressed. */
  close(): void;
}

export interface GzipMembersOptions {
  open(options: { readonly level: number; readonly blockBytes: number }): MemberCompressor;
  /** If none is asked for. */
  readonly defaultLevel: number;
  /** Who may compress when; default: all streams of the process take turns. */
  readonly turns?: DeflateTurns;
}

/** What a member holds. Twice as much makes archives smaller by a thousandth. */
export const MEMBER_BYTES = 512 * 1024;

/**
 * An encoder for gzip of several members (RFC 1952 §2.2), which every reader of gzip takes for one stream. Members are
 * made side by side; what comes out depends on the bytes, the level and the compressor alone, not on chunks, threads or
 * their order.
 *
 * Errors of the source pass through. Whoever ends it early leaves the members that are being made to themselves, which
 * takes some milliseconds; no others are begun.
 */
export function gzipMembers({ open, defaultLevel, turns = deflateTurns }: GzipMembersOptions): Encoder {
  return (source, { level = defaultLevel } = {}) =>
    workOnBlocks<MemberSlot>(source, {
      turns,
      newSlot: () => ({
        block: Buffer.allocUnsafeSlow(MEMBER_BYTES),
        compressor: open({ level, blockBytes: MEMBER_BYTES }),
      }),
      begin:
        ({ block, compressor }, length) =>
        () =>
          compressor.compress(block.subarray(0, length)),
      end: (slots) => {
        for (const { compressor } of slots) compressor.close();
      },
    });
}

/** A block, and what makes a member of it. */
interface MemberSlot extends BlockSlot {
  readonly compressor: MemberCompressor;
}
