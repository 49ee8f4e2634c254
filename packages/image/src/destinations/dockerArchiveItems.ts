import { type Digest, digestHex, goJsonStringify, StorageError } from '@sediment/core';
import { type ImageName, parseImageName } from '../references/imageName.ts';

/** An image of a docker-archive that is being written. */
export interface NewDockerItem {
  readonly config: Digest;
  readonly diffIDs: readonly Digest[];
  /** Id of the topmost legacy layer; an image without layers has none. */
  readonly topLegacyId?: string;
}

interface Item extends NewDockerItem {
  readonly tags: Map<string, Tag>;
}

type Tag = Required<Pick<ImageName, 'repository' | 'tag'>>;

/** The images of an archive, and the two documents at its end that list them. */
export class DockerArchiveItems {
  readonly #items = new Map<Digest, Item>();

  /**
   * Adds an image. One that is there already gets the further names. A name that another image has goes
   * over to this one.
   */
  add(item: NewDockerItem, tags: readonly Tag[]): void {
    const mine = this.#items.get(item.config) ?? { ...item, tags: new Map() };
    this.#items.set(item.config, mine);
    for (const tag of tags) {
      const text = `${tag.repository}:${tag.tag}`;
      for (const other of this.#items.values()) if (other !== mine) other.tags.delete(text);
      mine.tags.set(text, tag);
    }
  }

  manifest(): Buffer {
    const items = [...this.#items.values()].map(({ config, tags, diffIDs }) => ({
      Config: `${digestHex(config)}.json`,
      RepoTags: [...tags.keys()],
      Layers: diffIDs.map((diffID) => `${digestHex(diffID)}.tar`),
    }));
    return Buffer.from(goJsonStringify(items));
  }

  /** By hand: keys are sorted as texts, and an object of JavaScript puts numbers (tags!) first. */
  repositories(): Buffer {
    const repositories = new Map<string, [string, string][]>();
    for (const { tags, topLegacyId } of this.#items.values()) {
      if (topLegacyId === undefined) continue;
      for (const { repository, tag } of tags.values()) {
        repositories.set(repository, [
          ...(repositories.get(repository) ?? []),
          [tag, JSON.stringify(topLegacyId)],
        ]);
      }
    }
    return Buffer.from(sortedObject([...repositories].map(([name, tags]) => [name, sortedObject(tags)])));
  }
}

function sortedObject(members: readonly (readonly [string, string])[]): string {
  const sorted = members.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`;
}

/** @throws {StorageError} `REFERENCE_INVALID`, also for a name with a digest */
export function parseTag(text: string): Tag {
  const { repository, tag, digest } = parseImageName(text);
  if (digest === undefined && tag !== undefined) return { repository, tag };
  throw new StorageError('REFERENCE_INVALID', `${text}: docker-archive does not support digests`, {
    object: text,
    hint: 'give a name with a tag',
  });
}
