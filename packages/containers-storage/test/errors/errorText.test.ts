import { readFileSync } from 'node:fs';
import { StorageError, wrapSystemError } from '@sediment/core';
import { describe, expect, it } from 'vitest';
import { CommandError } from '../../src/errors/commandError.ts';
import { digestDefect } from '../../src/errors/digestDefect.ts';
import { errorText } from '../../src/errors/errorText.ts';
import { inWords } from '../../src/errors/inWords.ts';

describe('errorText', () => {
  it('says what the command found itself, as it is', () => {
    expect(errorText(new CommandError('no new metadata provided'))).toBe('no new metadata provided');
  });

  it.each([
    ['LAYER_UNKNOWN', 'layer not known'],
    ['CONTAINER_UNKNOWN', 'container not known'],
    ['SIZE_UNKNOWN', 'size is not known'],
    ['DIGEST_UNKNOWN', 'could not compute digest of item'],
    ['PARENT_IS_CONTAINER', 'would-be parent layer is a container'],
  ] as const)('says of %s no more than the Go command', (code, text) => {
    expect(errorText(new StorageError(code, `object "x": ${text}`, { object: 'x' }))).toBe(text);
  });

  it('names the image that is not known', () => {
    const error = new StorageError('IMAGE_UNKNOWN', 'whatever', { object: 'a"b' });
    expect(errorText(error)).toBe('locating image with ID "a\\"b": image not known');
  });

  it('words failed system calls as Go does', () => {
    const failed = () => readFileSync('/nowhere/at/all');
    const words = 'open /nowhere/at/all: no such file or directory';
    expect(errorText(thrownBy(failed))).toBe(words);
    const wrapped = wrapSystemError(thrownBy(failed), 'reading', 'IO', { path: '/nowhere/at/all' });
    expect(errorText(wrapped)).toBe(words);
    expect(errorText(thrownBy(() => readFileSync('/')))).toContain('is a directory');
  });

  it('shows where a defect is', () => {
    expect(errorText(new TypeError('defect'))).toMatch(/^TypeError: defect\n {4}at /);
  });
});

describe('inWords', () => {
  it('replaces the words of the errors that are named', async () => {
    const act = async () => {
      throw new StorageError('DUPLICATE_ID', 'long', { object: 'x' });
    };
    const words = { DUPLICATE_ID: ({ facts }: StorageError) => `short ${facts.object}` };
    await expect(inWords(words, act)).rejects.toEqual(new CommandError('short x'));
    await expect(inWords({}, act)).rejects.toThrow('long');
  });
});

describe('digestDefect', () => {
  it.each([
    ['abc', 'invalid checksum digest format'],
    ['', 'invalid checksum digest format'],
    ['sha256:', 'invalid checksum digest format'],
    ['sha256:abc', 'invalid checksum digest length'],
    [`sha256:${'G'.repeat(64)}`, 'invalid checksum digest format'],
    ['abc:def', 'unsupported digest algorithm'],
  ])('%j', (text, defect) => {
    expect(digestDefect(text)).toBe(defect);
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
