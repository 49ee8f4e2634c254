import type { ContainerInfo, ImageInfo, LayerInfo } from '@sediment/storage';

/** A layer with what uses it. */
export interface LayerUse<L = LayerInfo> {
  readonly layer: L;
  readonly images: readonly ImageInfo[];
  readonly containers: readonly ContainerInfo[];
}

/** The name of the root under which layers without parent stand. */
const BASE = '(base)';

/** Layers below their parents, with box characters. A parent that is not there is the root of a tree of its own. */
export function layerTree(uses: readonly LayerUse[]): string {
  const ids = new Set(uses.map(({ layer }) => layer.id));
  const children = new Map<string, LayerUse[]>();
  for (const use of uses) {
    const parent = use.layer.parent ?? BASE;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [use]);
    else siblings.push(use);
  }
  const roots = [...children.keys()].filter((id) => !ids.has(id));
  return roots.map((root) => `${root}\n${branches(root, '', children)}`).join('');
}

function branches(
  parent: string,
  indent: string,
  children: ReadonlyMap<string, readonly LayerUse[]>,
): string {
  const siblings = children.get(parent) ?? [];
  return siblings
    .map((use, i) => {
      const isLast = i === siblings.length - 1;
      const { id } = use.layer;
      const below = `${indent}${isLast ? '  ' : '│ '}`;
      const lines = notes(use).map((note) => `${below}${note}\n`);
      return `${indent}${isLast ? '└─' : '├─'}${id}\n${lines.join('')}${branches(id, below, children)}`;
    })
    .join('');
}

function notes({ layer, images, containers }: LayerUse): string[] {
  const user = (kind: string) => (object: ImageInfo | ContainerInfo) => [
    `${kind}: ${object.id}`,
    ...object.names.map((name) => `${kind} name: ${name}`),
  ];
  return [
    ...layer.names.map((name) => `name: ${name}`),
    ...(layer.mountPoint === undefined ? [] : [`mount: ${layer.mountPoint}`]),
    ...images.flatMap(user('image')),
    ...containers.flatMap(user('container')),
  ];
}
