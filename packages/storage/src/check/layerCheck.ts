import { digestAlgorithm } from '@sediment/core';
import { IdMappings } from '../idmaps/idMappings.ts';
import type { ComparedLayers } from '../layers/layerPair.ts';
import { tarOf } from '../layers/openDiff.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { Breather } from '../store/breather.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { Placed } from '../tables/recordTable.ts';
import { inUserNamespace } from '../userns/inUserNamespace.ts';
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
  readonly tree?: ExpectedTree | undefined;
}

/** A layer and its parent, if it has one: a layer without a tar-split is compared with that. */
export type LayerToCheck = Placed<LayerRecord> & ComparedLayers;

/** All checks of one layer. Changes nothing, and needs no lock as long as nobody deletes the layer. */
export class LayerCheck {
  readonly #options: LayerCheckOptions;

  constructor(options: LayerCheckOptions) {
    this.#options = options;
  }

  /** @param below what the parent should show; for a base layer the empty tree */
  async run(layer: LayerToCheck, below: ExpectedTree | undefined): Promise<LayerCheckResult> {
    const { record, paths, readOnly } = layer;
    const subject: Subject = { kind: 'layer', id: record.id, readOnly };
    const data = checkItems({
      subject,
      names: record.bigDataNames,
      pathOf: (name) => paths.layerItem(record.id, name),
    });
    const content = await this.#skippable(layer, 'layer-content-unreadable', () =>
      this.#checkContent(layer, subject, below),
    );
    const mounted = await this.#skippable(layer, 'layer-unmountable', async () => {
      const isMounted = !readOnly && this.#options.mount;
      return { findings: isMounted ? await this.#checkTree(record, subject, content.tree) : [] };
    });
    return { findings: [...data, ...content.findings, ...mounted.findings], tree: content.tree };
  }

  /** A layer without a digest is a container's, or was: nobody can say what belongs into it. */
  async #checkContent(
    layer: LayerToCheck,
    subject: Subject,
    below: ExpectedTree | undefined,
  ): Promise<LayerCheckResult> {
    const { context, breather, contents } = this.#options;
    const { diffDigest, diffSize = 0 } = layer.record;
    if (diffDigest === undefined) return NOTHING_KNOWN;
    const { whiteouts } = context.driver.unpack;
    const rules = { whiteouts, devicesMayLack: inUserNamespace() };
    const replay = contents && below !== undefined ? new LayerReplay(below, rules) : undefined;
    const { digest, size, parsed } = await readLayerContent({
      tar: tarOf(context, layer),
      algorithm: digestAlgorithm(diffDigest),
      breather,
      ...(replay === undefined ? {} : { onHeader: (header) => replay.entry(header) }),
    });
    if (digest !== diffDigest) {
      const facts = { expected: diffDigest, actual: digest };
      return damaged(finding(subject, 'layer-digest', 'layer content incorrect digest', facts));
    }
    if (diffSize !== -1 && size !== diffSize) {
      const text = `read ${size} bytes instead of ${diffSize} bytes: layer content incorrect size`;
      return damaged(finding(subject, 'layer-size', text, { expected: diffSize, actual: size }));
    }
    return { findings: [], tree: parsed ? replay?.finish() : undefined };
  }

  async #checkTree(
    record: LayerRecord,
    subject: Subject,
    expected: ExpectedTree | undefined,
  ): Promise<CheckFinding[]> {
    const { driver } = this.#options.context;
    const actual = driver.openTree(record.id);
    try {
      if (expected === undefined) return [];
      const maps = IdMappings.of(record);
      const differences = await compareTree({
        expected,
        fd: actual.fd,
        breather: this.#options.breather,
        ignored: { ownership: driver.unpack.ignoreChownErrors },
        ...(maps.isEmpty ? {} : { ownerOf: (owner) => maps.findContainer(owner) ?? owner }),
      });
      return differences.map(({ path, text }) =>
        finding(subject, 'layer-modified', `${text}, layer content modified`, { path, difference: text }),
      );
    } finally {
      actual.close();
    }
  }

  /** Turns an error that means damage into a finding, and what this driver cannot do into a warning. */
  async #skippable(
    { record, readOnly }: LayerToCheck,
    kind: 'layer-content-unreadable' | 'layer-unmountable',
    check: () => Promise<LayerCheckResult>,
  ): Promise<LayerCheckResult> {
    const { id } = record;
    try {
      return await check();
    } catch (error) {
      const damage = damageOf(error);
      // Somebody has mounted the layer where this program cannot see it, so that it can be mounted.
      if (kind === 'layer-unmountable' && damage.facts.errnoCode === 'EBUSY') return NOTHING_KNOWN;
      if (damage.code !== 'NOT_SUPPORTED') {
        return damaged(errorFinding({ kind: 'layer', id, readOnly }, kind, damage));
      }
      const message = `layer ${id} is not checked as a whole: ${damage.message}`;
      this.#options.context.onWarning({ code: 'CHECK_SKIPPED', message, object: id });
      return NOTHING_KNOWN;
    }
  }
}

const NOTHING_KNOWN: LayerCheckResult = { findings: [] };

function damaged(finding: CheckFinding): LayerCheckResult {
  return { findings: [finding] };
}
