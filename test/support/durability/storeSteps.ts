import { DROPIN } from '../dropin.ts';
import { withRoots } from '../peers.ts';
import { SEDIMENT } from '../sediment.ts';
import type { StoreRoot } from '../storeRoot.ts';
import type { StepArchives } from './stepArchives.ts';
import type { SyncPolicy } from './syncOrder.ts';

/** One command that changes a store. */
export interface StoreStep {
  readonly name: string;
  readonly program: 'sediment' | 'containers-storage';
  args(archives: StepArchives): readonly string[];
}

const [STREAMED, FILLED, MADE] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];

const sediment = (name: string, ...args: string[]): StoreStep => ({
  ...{ name, program: 'sediment', args: () => args },
});
const importing = (name: string, image: keyof StepArchives, ...options: string[]): StoreStep => ({
  ...{ name, program: 'sediment', args: (archives) => ['import', ...options, archives[image]] },
});
const dropin = (name: string, args: StoreStep['args']): StoreStep => ({
  ...{ name, program: 'containers-storage', args },
});

/** Each changes a store in another way; they come in this order. */
export const STORE_STEPS = {
  import: importing('import', 'first'),
  sharing: importing('import of an image that shares layers', 'second'),
  keeping: importing('import that keeps blobs', 'kept', '--keep-blobs'),
  tag: sediment('tag', 'tag', 'first:1', 'first:2', 'first:3'),
  untag: sediment('untag', 'untag', 'first:1', 'first:1', 'first:3'),
  create: sediment('create a container', 'create', '--name', 'box', 'first:2'),
  putLayer: dropin('make a layer of a stream', ({ layer }) => [
    ...['import-layer', '--file', layer, '--id', STREAMED, '--name', 'streamed'],
  ]),
  createLayer: dropin('make an empty layer', () => ['create-layer', '--id', FILLED, STREAMED]),
  applyDiff: dropin('fill a layer', ({ layer }) => ['applydiff', '--file', layer, FILLED]),
  createImage: dropin('make an image', () => ['create-image', '--id', MADE, '--name', 'made', STREAMED]),
  setImageData: dropin('set a document of an image', ({ layer }) => [
    ...['set-image-data', '--file', layer, MADE, 'a document'],
  ]),
  setContainerData: dropin('set a document of a container', ({ layer }) => [
    ...['set-container-data', '--file', layer, 'box', 'a document'],
  ]),
  putBlob: {
    ...{ name: 'keep a blob', program: 'sediment' },
    args: ({ layer }) => ['blobs', 'put', '--pin', layer],
  },
  removeContainer: sediment('remove a container', 'rm', 'box'),
  removeImage: sediment('remove an image', 'rmi', 'second:1'),
  removeKept: sediment('remove an image with kept blobs', 'rmi', 'kept:1'),
  garbage: sediment('collect garbage', 'gc'),
  again: importing('import again what was removed', 'second'),
  repair: sediment('repair', 'check', '--repair', '--max-age', '0'),
} as const satisfies Record<string, StoreStep>;

/** What node is given to run a step. */
export function stepCommand(
  store: StoreRoot,
  step: StoreStep,
  archives: StepArchives,
  policy: SyncPolicy,
): string[] {
  const args = step.args(archives);
  if (step.program === 'containers-storage') {
    if (policy !== 'ordered') throw new Error(`${step.name}: this program has the default policy alone`);
    return [DROPIN, ...withRoots(store, args)];
  }
  const { graphRoot, runRoot, driver } = store;
  const roots = ['--root', graphRoot, '--runroot', runRoot, '--storage-driver', driver];
  return [SEDIMENT, ...roots, '--durability', policy, ...args];
}
