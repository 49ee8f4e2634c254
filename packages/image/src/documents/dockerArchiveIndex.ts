import * as z from 'zod/mini';
import { type DocumentText, parseDocument } from './parseDocument.ts';

/** One image of a docker-archive: an item of its `manifest.json`. Paths are as written there. */
export interface DockerArchiveItem {
  readonly config: string;
  readonly repoTags: readonly string[];
  readonly layers: readonly string[];
}

const itemSchema = z.object({
  Config: z.string(),
  RepoTags: z.nullish(z.array(z.string())),
  Layers: z.nullish(z.array(z.string())),
});

/**
 * Reads `manifest.json` of a docker-archive, the form of `docker save` since Docker 1.10.
 *
 * @throws {StorageError} the document's code
 */
export function readDockerArchiveIndex(document: DocumentText): readonly DockerArchiveItem[] {
  return parseDocument(z.array(itemSchema), document).map(({ Config, RepoTags, Layers }) => ({
    config: Config,
    repoTags: RepoTags ?? [],
    layers: Layers ?? [],
  }));
}
