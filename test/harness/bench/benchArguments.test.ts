import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseBenchArguments } from '../../../scripts/bench/benchArguments.js';

const parse = (...argv: string[]) => parseBenchArguments(argv, ['one', 'two']);

describe('parseBenchArguments', () => {
  it('measures everything in five rounds when nothing is said', () => {
    expect(parse()).toEqual({
      quick: false,
      targets: false,
      markdown: undefined,
      rounds: 5,
      scenes: [],
      json: undefined,
      directory: tmpdir(),
      images: undefined,
      nice: undefined,
      build: true,
      list: false,
      help: false,
    });
  });

  it('takes fewer rounds when it has to be quick, unless told how many', () => {
    expect(parse('--quick').rounds).toBe(2);
    expect(parse('--targets').rounds).toBe(3);
    expect(parse('--quick', '--targets').rounds).toBe(2);
    expect(parse('--quick', '--rounds', '7').rounds).toBe(7);
  });

  it('takes a priority, a high one too', () => {
    expect(parse('--nice=-20').nice).toBe(-20);
    expect(parse('--nice', '19').nice).toBe(19);
  });

  it('takes several scenes, each once', () => {
    expect(parse('--scene', 'two', '--scene', 'one', '--scene=two').scenes).toEqual(['two', 'one']);
  });

  it('resolves paths, since the benchmark itself may run elsewhere', () => {
    const { json, images, directory } = parse('--json', 'a.json', '--images=images', '--directory', 'd');
    expect([json, images, directory]).toEqual(
      ['a.json', 'images', 'd'].map((name) => `${process.cwd()}/${name}`),
    );
  });

  it.each([
    [['--scene', 'three'], /no scene is called three; see --list/],
    [['--rounds', '0'], /--rounds 0: not a number from 1 to 999/],
    [['--rounds', '1.5'], /--rounds 1.5/],
    [['--nice=-21'], /--nice -21: not a number from -20 to 19/],
    [['--nice', 'high'], /--nice high/],
    [['--round', '1'], /--round/],
    [['one'], /one/],
  ])('refuses %j', (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
  });
});
