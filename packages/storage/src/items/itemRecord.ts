import { type Digest, digestOf } from '@sediment/core';

/** A document to be kept with an object. Digest and size are recorded. */
export interface BigDataItem {
  readonly name: string;
  readonly bytes: Uint8Array;
  /**
   * The sha256 of the bytes, if absent. Of a signed schema 1 manifest it must be given, since that is
   * known by the digest of its text without the signatures.
   */
  readonly digest?: Digest;
}

/** A document kept with an image or a container. What other programs did not record is absent. */
export interface ItemInfo {
  readonly name: string;
  /** In bytes. */
  readonly size?: number;
  readonly digest?: Digest;
}

/** The fields in which images and containers record their items. */
export interface ItemRecord {
  readonly bigDataNames: readonly string[];
  readonly bigDataSizes: Readonly<Record<string, number>>;
  readonly bigDataDigests: Readonly<Record<string, Digest>>;
}

/** The items of a record, in the order in which they were first set. */
export function itemInfos(record: ItemRecord): ItemInfo[] {
  return record.bigDataNames.map((name) => {
    const size = recordedSize(record, name);
    const digest = recordedDigest(record, name);
    return { name, ...(size === undefined ? {} : { size }), ...(digest === undefined ? {} : { digest }) };
  });
}

export function recordedSize({ bigDataSizes }: ItemRecord, name: string): number | undefined {
  return Object.hasOwn(bigDataSizes, name) ? bigDataSizes[name] : undefined;
}

export function recordedDigest({ bigDataDigests }: ItemRecord, name: string): Digest | undefined {
  return Object.hasOwn(bigDataDigests, name) ? bigDataDigests[name] : undefined;
}

/** The record with this item; the very same record when it says all of that already. */
export function withItem<R extends ItemRecord>(record: R, { name, bytes, digest }: BigDataItem): R {
  const known = digest ?? digestOf(bytes);
  const isListed = record.bigDataNames.includes(name);
  const isSame = recordedSize(record, name) === bytes.length && recordedDigest(record, name) === known;
  if (isListed && isSame) return record;
  return {
    ...record,
    bigDataNames: isListed ? record.bigDataNames : [...record.bigDataNames, name],
    bigDataSizes: { ...record.bigDataSizes, [name]: bytes.length },
    bigDataDigests: { ...record.bigDataDigests, [name]: known },
  };
}
