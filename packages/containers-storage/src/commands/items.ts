import { writeFileSync } from 'node:fs';
import type { StorageError } from '@sediment/core';
import type { Containers, Images, Layers, Store } from '@sediment/storage';
import type { CommandDefinition } from '../commandLine/commandDefinition.ts';
import { SUCCESS } from '../commandLine/exitStatus.ts';
import { JSON_FLAG, stringFlag } from '../commandLine/flag.ts';
import { inWords } from '../errors/inWords.ts';
import { withPath } from '../errors/withPath.ts';
import { goQuote } from '../output/goQuote.ts';
import { listOrNull, printJson } from '../output/json.ts';
import { readInput } from './inputFile.ts';

/** A kind of object that keeps data items, as its commands speak of it. */
interface ItemOwnerKind {
  readonly name: 'container' | 'image' | 'layer';
  /** In descriptions. */
  readonly words: string;
  /** In usage lines of commands that take an item too. */
  readonly argument: string;
  of(store: Store): ItemKeeper;
  /** What the Go command says of an item that is not there. */
  unknownItem(facts: { readonly id: string; readonly item: string; readonly path: string }): string;
}

type ItemKeeper = Pick<Layers, 'bigData' | 'bigDataNames' | 'setBigData'> & {
  get(idOrName: string): Promise<{ readonly id: string }>;
};

const CONTAINER: ItemOwnerKind = {
  name: 'container',
  words: 'an container',
  argument: 'containerNameOrID',
  of: ({ containers }) => containers,
  unknownItem: ({ path }) => `open ${path}: no such file or directory`,
};
const IMAGE: ItemOwnerKind = {
  name: 'image',
  words: 'an image',
  argument: 'imageNameOrID',
  of: ({ images }) => images,
  unknownItem: ({ id, item }) =>
    `locating item named ${goQuote(item)} for image with ID ${goQuote(id)} ` +
    '(consider removing the image to resolve the issue): file does not exist',
};
const LAYER: ItemOwnerKind = {
  name: 'layer',
  words: 'a layer',
  argument: 'layerID',
  of: ({ layers }) => layers,
  unknownItem: ({ id, item }) =>
    `locating item named ${goQuote(item)} for layer with ID ${goQuote(id)}: file does not exist`,
};

function listCommand({ name, words, of }: ItemOwnerKind): CommandDefinition {
  return {
    names: [`list-${name}-data`, `list${name}data`],
    synopsis: `[options [...]] ${name}NameOrID`,
    description: `List data items that are attached to ${words}`,
    minArgs: 1,
    maxArgs: 1,
    flags: [JSON_FLAG],
    run: async ({ store, streams, flags, args: [object = ''] }) => {
      const items = await of(store).bigDataNames(object);
      if (flags.boolean('--json')) printJson(streams, listOrNull(items));
      else streams.out(items.map((item) => `${item}\n`).join(''));
      return SUCCESS;
    },
  };
}

function getCommand(kind: ItemOwnerKind): CommandDefinition {
  const { name, words, argument } = kind;
  return {
    names: [`get-${name}-data`, `get${name}data`],
    synopsis: `[options [...]] ${argument} dataName`,
    description: `Get data that is attached to ${words}`,
    minArgs: 2,
    maxArgs: 2,
    flags: [stringFlag(['--file', '-f'], 'Write data to file')],
    run: async ({ store, streams, flags, args: [object = '', item = ''] }) => {
      const bytes = await readItem(kind, { store, object, item });
      const file = flags.string('--file');
      if (file === '') streams.out(bytes);
      else writeFile(file, bytes);
      return SUCCESS;
    },
  };
}

function writeFile(file: string, bytes: Buffer): void {
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw withPath(error, file);
  }
}

async function readItem(
  { name, of, unknownItem }: ItemOwnerKind,
  { store, object, item }: { readonly store: Store; readonly object: string; readonly item: string },
): Promise<Buffer> {
  const unknown = async ({ facts }: StorageError): Promise<string> => {
    const { id } = await of(store).get(object);
    return unknownItem({ id, item, path: facts.path ?? '' });
  };
  const refused = name === 'layer' ? { BIG_DATA_NAME_INVALID: unknown } : {};
  return await inWords(
    { BIG_DATA_UNKNOWN: unknown, ...refused },
    async () => await of(store).bigData(object, item),
  );
}

function setCommand(kind: ItemOwnerKind, description: string): CommandDefinition {
  const { name, argument, of } = kind;
  return {
    names: [`set-${name}-data`, `set${name}data`],
    synopsis: `[options [...]] ${argument} dataName`,
    description,
    minArgs: 2,
    maxArgs: 2,
    flags: [stringFlag(['--file', '-f'], 'Read data from file')],
    run: async ({ store, streams, flags, args: [object = '', item = ''] }) => {
      await of(store).setBigData(object, item, await readInput(flags.string('--file'), streams));
      return SUCCESS;
    },
  };
}

/** A command that prints one fact about an item. */
function factCommand(
  kind: ItemOwnerKind,
  fact: 'size' | 'digest',
  find: (store: Store, object: string, item: string) => Promise<number | string>,
): CommandDefinition {
  const { name, words, argument } = kind;
  return {
    names: [`get-${name}-data-${fact}`, `get${name}data${fact}`],
    synopsis: `[options [...]] ${argument} dataName`,
    description: `Get ${fact} of data that is attached to ${words}`,
    minArgs: 2,
    maxArgs: 2,
    flags: [],
    run: async ({ store, streams, args: [object = '', item = ''] }) => {
      streams.out(`${await find(store, object, item)}\n`);
      return SUCCESS;
    },
  };
}

type WithFacts = Pick<Images & Containers, 'bigDataSize' | 'bigDataDigest'>;

function factCommands(kind: ItemOwnerKind, of: (store: Store) => WithFacts): CommandDefinition[] {
  return [
    factCommand(kind, 'size', async (store, object, item) => await of(store).bigDataSize(object, item)),
    factCommand(kind, 'digest', async (store, object, item) => await of(store).bigDataDigest(object, item)),
  ];
}

export const containerItemCommands: readonly CommandDefinition[] = [
  listCommand(CONTAINER),
  getCommand(CONTAINER),
  ...factCommands(CONTAINER, ({ containers }) => containers),
  setCommand(CONTAINER, 'Set data that is attached to an container'),
];

export const imageItemCommands: readonly CommandDefinition[] = [
  listCommand(IMAGE),
  getCommand(IMAGE),
  ...factCommands(IMAGE, ({ images }) => images),
  setCommand(IMAGE, 'Set data that is attached to an image (with sometimes wrong digest)'),
];

/** Sizes and digests of a layer's items are not recorded. */
export const layerItemCommands: readonly CommandDefinition[] = [
  listCommand(LAYER),
  getCommand(LAYER),
  setCommand(LAYER, 'Set data that is attached to a layer'),
];
