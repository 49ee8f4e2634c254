import { isStorageError, StorageError } from '@sediment/core';
import { findImage } from '@sediment/image/names';
import type { Store } from '@sediment/storage';
import { type Command, Option } from 'commander';
import { eachArgument } from '../commandLine/eachArgument.ts';
import { newCommand } from '../commandLine/newCommand.ts';
import { withStore } from '../commandLine/withStore.ts';
import { inspectContainer } from '../inspect/inspectContainer.ts';
import { inspectImage } from '../inspect/inspectImage.ts';
import { inspectLayer } from '../inspect/inspectLayer.ts';
import { formatJson } from '../output/json.ts';
import type { Terminal } from '../output/terminal.ts';

/** In the order in which a text is tried. */
const KINDS = ['container', 'image', 'layer'] as const;
type Kind = (typeof KINDS)[number];

const INSPECTORS: Readonly<Record<Kind, (store: Store, text: string) => Promise<unknown>>> = {
  container: async (store, text) => await inspectContainer(store, await store.containers.get(text)),
  image: async (store, text) => {
    return await inspectImage(store, (await findImage(store, text)).image);
  },
  layer: async (store, text) => await inspectLayer(store, await store.layers.get(text)),
};

export function inspectCommand(terminal: Terminal): Command {
  return newCommand('inspect', 'Print all about images, containers or layers as JSON, as podman does', [
    ['sediment inspect localhost/app:1', 'manifest, config, size and place of an image'],
    ["sediment inspect --type container box | jq -r '.[0].GraphDriver.Data.UpperDir'", 'where box writes'],
  ])
    .argument('<object...>', 'names or ids')
    .addOption(new Option('-t, --type <type>', 'look for this kind of object only').choices(KINDS))
    .addOption(new Option('--format <format>', 'JSON is the only format').choices(['json']).default('json'))
    .action(async (objects: string[], { type }: { readonly type?: Kind }, command: Command) => {
      await withStore(command, terminal, async (store) => {
        const found: unknown[] = [];
        try {
          await eachArgument(terminal, objects, async (text) => {
            found.push(
              type === undefined ? await inspectAny(store, text) : await INSPECTORS[type](store, text),
            );
          });
        } finally {
          terminal.print(formatJson(found));
        }
      });
    });
}

/** Errors that say: it is none of this kind. An image that lacks a layer is one all the same. */
const NOT_THIS_KIND: Readonly<Record<Kind, readonly string[]>> = {
  container: ['CONTAINER_UNKNOWN'],
  image: ['IMAGE_UNKNOWN', 'REFERENCE_INVALID'],
  layer: ['LAYER_UNKNOWN'],
};

/** A full layer id means the layer, although a container is also found by the id of its layer. */
async function inspectAny(store: Store, text: string): Promise<unknown> {
  const isLayerId = (await store.layers.list()).some(({ id }) => id === text);
  for (const kind of isLayerId ? (['layer'] as const) : KINDS) {
    try {
      return await INSPECTORS[kind](store, text);
    } catch (error) {
      if (!isStorageError(error) || !NOT_THIS_KIND[kind].includes(error.code)) throw error;
    }
  }
  throw new StorageError('NOT_AN_ID', `${text}: identifier is not a layer, image, or container`, {
    object: text,
    hint: 'list what there is with "sediment images", "sediment containers" and "sediment layers"',
  });
}
