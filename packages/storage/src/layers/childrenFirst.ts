interface Child {
  readonly id: string;
  readonly parent?: string | undefined;
}

/** The same layers in an order in which no layer comes after its parent; the newest first where they stand last. */
export function childrenFirst<T extends Child>(layers: readonly T[]): T[] {
  const byId = new Map(layers.map((layer) => [layer.id, layer]));
  const ordered = new Set<T>();
  for (const layer of layers) {
    const chain: T[] = [];
    let at: T | undefined = layer;
    // A layer cannot be its own ancestor, unless the records are damaged.
    while (at !== undefined && !ordered.has(at) && !chain.includes(at)) {
      chain.push(at);
      at = at.parent === undefined ? undefined : byId.get(at.parent);
    }
    for (const ancestor of chain.reverse()) ordered.add(ancestor);
  }
  return [...ordered].reverse();
}
