import { existsSync } from 'node:fs';
import { digestAlgorithm, isStorageError } from '@sediment/core';
import { IdMappings } from '../idmaps/idMappings.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { Breather } from '../store/breather.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { Placed } from '../tables/recordTable.ts';
import { checkItems } from './checkItems.ts';
import type { CheckFinding } from './checkReport.ts';
import { compareTree } from './contents/compareTree.ts';
import type { ExpectedTree } from './contents/expectedTree.ts';
import { LayerReplay } from './contents/layerReplay.ts';
import { damageOf, errorFinding, finding, type Subject } from './findings.ts';
import { readLayerContent } from './layerContent.ts';

export interface LayerCheckOptions {
  readonly context: StoreContext;
  readonly breather: Breather;
  /** Whether layers of the writable store are mounted. */
  readonly mount: boolean;
  /** Whether the mounted trees are compared with the tars. */
  readonly contents: boolean;
}

export interface LayerCheckResult {
  readonly findings: readonly CheckFinding[];
  /** What the layer should show; undefined when the tars of its chain do not tell. */
  readonly tree: ExpectedTree | undefined;
}

/** All checks of one layer. Changes nothing, and needs no lock as long as nobody deletes the layer. */
export class LayerCheck {
  readonly #options: LayerCheckOptions;

  constructor(options: LayerCheckOptions) {
    this.#options = options;
  }

  /** @param below what the parent should show; for a base layer the empty tree */
  async run(layer: Placed<LayerRecord>, below: ExpectedTree | undefined): Promise<LayerCheckResult> {
    const { record, paths, readOnly } = layer;
    const subject: Subject = { kind: 'layer', id: record.id, readOnly };
    const findings = checkItems({
      subject,
      names: record.bigDataNames,
      pathOf: (name) => paths.layerItem(record.id, name),
    });
    const replay = this.#options.contents && below !== undefined ? this.#replay(below) : undefined;
    const content = await this.#checkContent(layer, subject, replay);
    findings.push(...content);
    const tree = content.length === 0 && record.diffDigest !== undefined ? replay?.finish() : undefined;
    if (!readOnly && this.#options.mount) findings.push(...(await this.#checkTree(record, subject, tree)));
    return { findings, tree };
  }

  #replay(below: ExpectedTree): LayerReplay {
    return new LayerReplay(below, this.#options.context.driver.unpack.whiteouts);
  }

  /** A layer without a digest is a container's, or was: nobody can say what belongs into it. */
  async #checkContent(
    { record, paths }: Placed<LayerRecord>,
    subject: Subject,
    replay: LayerReplay | undefined,
  ): Promise<CheckFinding[]> {
    const { id, diffDigest, diffSize = 0 } = record;
    if (diffDigest === undefined) return [];
    const tarSplit = paths.tarSplit(id);
    if (!existsSync(tarSplit)) {
      return [finding(subject, 'layer-digest', WRONG_DIGEST, { path: tarSplit, expected: diffDigest })];
    }
    try {
      const { digest, size } = await readLayerContent({
        driver: this.#options.context.driver,
        id,
        tarSplit,
        algorithm: digestAlgorithm(diffDigest),
        breather: this.#options.breather,
        ...(replay === undefined ? {} : { onHeader: (header) => replay.entry(header) }),
      });
      if (digest !== diffDigest) {
        return [finding(subject, 'layer-digest', WRONG_DIGEST, { expected: diffDigest, actual: digest })];
      }
      if (diffSize === -1 || size === diffSize) return [];
      const text = `read ${size} bytes instead of ${diffSize} bytes: layer content incorrect size`;
      return [finding(subject, 'layer-size', text, { expected: diffSize, actual: size })];
    } catch (error) {
      return [errorFinding(subject, 'layer-content-unreadable', damageOf(error))];
    }
  }

  async #checkTree(
    record: LayerRecord,
    subject: Subject,
    expected: ExpectedTree | undefined,
  ): Promise<CheckFinding[]> {
    const { driver, onWarning } = this.#options.context;
    try {
      const actual = driver.openTree(record.id);
      try {
        return expected === undefined
          ? []
          : await this.#compare(record, subject, { expected, fd: actual.fd });
      } finally {
        actual.close();
      }
    } catch (error) {
      const damage = damageOf(error);
      // Somebody has mounted the layer where this program cannot see it, so that it can be mounted.
      if (damage.facts.errnoCode === 'EBUSY') return [];
      if (!isStorageError(damage, 'NOT_SUPPORTED')) {
        return [errorFinding(subject, 'layer-unmountable', damage)];
      }
      onWarning({
        code: 'CHECK_SKIPPED',
        message: `layer ${record.id} is not checked as a whole: ${damage.message}`,
        object: record.id,
      });
      return [];
    }
  }

  async #compare(
    record: LayerRecord,
    subject: Subject,
    { expected, fd }: { readonly expected: ExpectedTree; readonly fd: number },
  ): Promise<CheckFinding[]> {
    const { driver } = this.#options.context;
    const maps = IdMappings.of(record);
    const differences = await compareTree({
      expected,
      fd,
      breather: this.#options.breather,
      ignored: { ownership: driver.unpack.ignoreChownErrors },
      ...(maps.isEmpty ? {} : { ownerOf: (owner) => maps.findContainer(owner) ?? owner }),
    });
    return differences.map(({ path, text }) =>
      finding(subject, 'layer-modified', `${text}, layer content modified`, { path, difference: text }),
    );
  }
}

const WRONG_DIGEST = 'layer content incorrect digest';
