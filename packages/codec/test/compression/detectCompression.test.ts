import { describe, expect, it } from 'vitest';
import { detectCompression } from '../../src/compression/detectCompression.ts';

describe('detectCompression', () => {
  it.each([
    ['425a68', 'bzip2'],
    ['1f8b08', 'gzip'],
    ['fd377a585a00', 'xz'],
    ['28b52ffd', 'zstd'],
    ['1f8b0800000000', 'gzip'],
    ['', 'none'],
    ['1f8b', 'none'],
    ['1f8b09', 'none'],
    ['fd377a585a', 'none'],
    ['502a4d1804000000', 'none'], // a skippable frame of zstd
    ['7573746172', 'none'],
  ])('%s is %s', (hex, expected) => {
    expect(detectCompression(Buffer.from(hex, 'hex'))).toBe(expected);
  });
});
