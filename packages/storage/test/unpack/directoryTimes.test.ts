import { TAR_TYPE, type TarHeader } from '@sediment/codec';
import { describe, expect, it } from 'vitest';
import { DirectoryTimes } from '../../src/unpack/directoryTimes.ts';

describe('DirectoryTimes', () => {
  it('gives back names and times of any number of directories, in order', () => {
    const headers = Array.from({ length: 3000 }, (_, i) => ({
      typeflag: TAR_TYPE.directory,
      name: Buffer.from(i === 7 ? 'long/'.repeat(20_000) : `directory-${i}/`),
      mtimeNs: BigInt(i) * 1_000_000_001n,
      ...(i % 2 === 0 ? {} : { atimeNs: 5n }),
    })) as TarHeader[];
    const directories = new DirectoryTimes();
    for (const header of headers) directories.add(header);
    const found: unknown[] = [];
    directories.forEach((name, times) => {
      found.push({ name: name.toString(), ...times });
    });
    expect(found).toEqual(
      headers.map(({ name, mtimeNs, atimeNs = 0n }) => ({ name: name.toString(), mtimeNs, atimeNs })),
    );
  });
});
