import { describe, expect, it } from 'vitest';
import { booleanFlag, type Flag, JSON_FLAG, nameFlag, stringFlag } from '../../src/commandLine/flag.ts';
import { FlagError, HelpRequested, parseFlags } from '../../src/commandLine/parseFlags.ts';

const FLAGS: readonly Flag[] = [
  JSON_FLAG,
  booleanFlag(['--tree', '-t'], 'Use a tree'),
  stringFlag(['--graph', '-g'], 'Root', '/before'),
  nameFlag('New name'),
];

function parse(...words: string[]) {
  const { values, rest } = parseFlags(FLAGS, words);
  return {
    json: values.boolean('--json'),
    tree: values.boolean('--tree'),
    graph: values.string('--graph'),
    names: values.list('--name'),
    rest,
  };
}

const NOTHING = { json: false, tree: false, graph: '/before', names: [], rest: [] };

function messages(...words: string[]): readonly string[] {
  try {
    parse(...words);
  } catch (error) {
    if (error instanceof FlagError) return error.messages;
    throw error;
  }
  return [];
}

describe('flags are read', () => {
  it.each([
    ['as long and short ones', ['--json', '-t'], { json: true, tree: true }],
    ['with a value in the next word', ['--graph', '/a', 'x'], { graph: '/a', rest: ['x'] }],
    ['with a value that looks like a flag', ['-g', '-j'], { graph: '-j' }],
    ['with a value after =', ['-g=/a'], { graph: '/a' }],
    ['with an empty value', ['--graph='], { graph: '' }],
    ['with = in the value', ['--graph=a=b'], { graph: 'a=b' }],
    ['without one pair of outer quotes', ['--graph="\'a\'"'], { graph: "'a'" }],
    ['with unmatched quotes', ['--graph="a\''], { graph: '"a\'' }],
    ['with a quote alone', ['--graph="'], { graph: '"' }],
    ['with quotes in the next word', ['--graph', '"a"'], { graph: '"a"' }],
    ['as a group of letters', ['-jt'], { json: true, tree: true }],
    ['as a group whose letter takes the next word', ['-jg', '/a'], { json: true, graph: '/a' }],
    ['as a group whose value is dropped', ['-tj=false'], { json: true, tree: true }],
    ['as booleans that leave the next word alone', ['--json', 'false'], { json: true, rest: ['false'] }],
    ['the later one winning', ['-j=1', '-j=0'], {}],
    ['lists growing', ['-n', 'a', '--name=b,c'], { names: ['a', 'b,c'] }],
    ['up to the first argument', ['a', '-j'], { rest: ['a', '-j'] }],
    ['up to a lone dash', ['-', '-j'], { rest: ['-', '-j'] }],
    ['up to two dashes', ['-t', '--', '-j'], { tree: true, rest: ['-j'] }],
    ['up to an empty word', ['', '-j'], { rest: ['', '-j'] }],
  ] as const)('%s', (_, words, expected) => {
    expect(parse(...words)).toEqual({ ...NOTHING, ...expected });
  });

  it.each(['1', 't', 'T', 'true', 'TRUE', 'True'])('--json=%s as true', (value) => {
    expect(parse(`--json=${value}`).json).toBe(true);
  });

  it.each(['0', 'f', 'F', 'false', 'FALSE', 'False'])('--json=%s as false', (value) => {
    expect(parse('-j', `--json=${value}`).json).toBe(false);
  });
});

describe('flags are refused', () => {
  it.each([
    ['unknown ones', ['--x'], ['flag provided but not defined: --x']],
    ['unknown ones without their value', ['--x=3'], ['flag provided but not defined: --x']],
    ['a long name after one dash', ['-json'], ['flag provided but not defined: -json']],
    ['a short name after two dashes', ['--j'], ['flag provided but not defined: --j']],
    ['three dashes', ['---json'], ['flag provided but not defined: ---json']],
    ['no name at all', ['--=x'], ['flag provided but not defined: --']],
    ['a value alone', ['-=x'], ['bad flag syntax: -=x']],
    ['groups with an unknown letter', ['-jx'], ['flag provided but not defined: -jx']],
    ['a missing value', ['--graph'], ['flag needs an argument: --graph']],
    [
      'a missing value in a group',
      ['-jg'],
      ['flag needs an argument: -g', 'flag provided but not defined: -jg'],
    ],
    [
      'a wrong boolean',
      ['--json=a"b'],
      ['invalid boolean value "a\\"b" for  --json: strconv.ParseBool: parsing "a\\"b": invalid syntax'],
    ],
  ])('%s', (_, words, expected) => {
    expect(messages(...words)).toEqual(expected);
  });

  it.each(['--help', '-help', '-h', '-h=1'])('%s asks for help', (word) => {
    expect(() => parse(word)).toThrow(HelpRequested);
  });

  it('a group with h asks for help and is wrong', () => {
    expect(() => parse('-jh')).toThrow(expect.objectContaining({ withHelp: true }));
  });

  it('-h is an ordinary flag where a command has it', () => {
    const { values } = parseFlags([booleanFlag(['--hard', '-h'], '')], ['-h']);
    expect(values.boolean('--hard')).toBe(true);
  });
});
