import { recordedSize } from '../items/itemRecord.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { Placed } from '../tables/recordTable.ts';
import { checkItems } from './checkItems.ts';
import { isSameLayer, type LayerFindings } from './checkLayers.ts';
import type { CheckFinding, CheckReport, DamagedObject } from './checkReport.ts';
import { finding, type Subject } from './findings.ts';
import type { StoreRecords } from './storeRecords.ts';

export interface ReportRequest {
  readonly records: StoreRecords;
  /** What was found in the layers themselves; layers that are new since then are taken for sound. */
  readonly checked: LayerFindings;
  readonly maxUnreferencedLayerAge: number;
  readonly skipped: CheckReport['skipped'];
}

/**
 * Puts together what is wrong with the single layers and what is wrong between objects: who refers to
 * what is missing, and what nobody refers to. Images repeat what is wrong with their layers, containers
 * what is wrong with their image.
 */
export function buildReport(request: ReportRequest): CheckReport {
  return new ReportBuilder(request).build();
}

class ReportBuilder {
  readonly #request: ReportRequest;
  readonly #records: StoreRecords;
  readonly #layers = new Map<string, CheckFinding[]>();
  readonly #images = new Map<string, CheckFinding[]>();
  readonly #containers = new Map<string, CheckFinding[]>();
  readonly #referenced = new Set<string>();

  constructor(request: ReportRequest) {
    this.#request = request;
    this.#records = request.records;
  }

  build(): CheckReport {
    this.#takeLayers();
    for (const image of this.#records.images.values()) this.#checkImage(image);
    for (const container of this.#records.containers.values()) this.#checkContainer(container);
    this.#findUnreferenced();
    this.#findUnaccounted();
    const { layers, images, containers } = this.#records;
    return {
      layers: damaged(this.#layers, (id) => layers.get(id)?.readOnly !== true),
      readOnlyLayers: damaged(this.#layers, (id) => layers.get(id)?.readOnly === true),
      images: damaged(this.#images, (id) => images.get(id)?.readOnly !== true),
      readOnlyImages: damaged(this.#images, (id) => images.get(id)?.readOnly === true),
      containers: damaged(this.#containers, () => true),
      checked: { layers: layers.size, images: images.size, containers: containers.size },
      skipped: this.#request.skipped,
    };
  }

  #takeLayers(): void {
    for (const [id, { record, readOnly }] of this.#records.layers) {
      const known = this.#request.checked.get(id);
      const isKnown = known !== undefined && isSameLayer(known.record, record);
      const findings = isKnown ? [...known.findings] : [];
      const { parent } = record;
      if (parent !== undefined && !this.#records.layers.has(parent)) {
        // So says containers/storage: the name in front is the missing parent's.
        const text = 'layer is missing';
        const missing = finding({ kind: 'layer', id: parent, readOnly }, 'layer-parent-missing', text, {
          missing: parent,
        });
        findings.push({ ...missing, object: { kind: 'layer', id } });
      }
      this.#layers.set(id, findings);
    }
  }

  #checkImage({ record, paths, readOnly }: Placed<ImageRecord>): void {
    const subject: Subject = { kind: 'image', id: record.id, readOnly };
    const findings = checkItems({
      subject,
      names: record.bigDataNames,
      pathOf: (name) => paths.imageItem(record.id, name),
      sizeOf: (name) => recordedSize(record, name),
    });
    const tops = [record.layer, ...record.mappedLayers].filter((id) => id !== undefined && id !== '');
    for (const top of new Set(tops as string[])) {
      for (const id of this.#chain(top)) {
        this.#referenced.add(id);
        const inherited = this.#layers.get(id);
        if (inherited === undefined) {
          const text = `layer ${id}: image layer is missing`;
          findings.push(finding(subject, 'image-layer-missing', text, { missing: id }));
        } else {
          findings.push(...inherited);
        }
      }
    }
    this.#images.set(record.id, findings);
  }

  #checkContainer({ record, paths }: Placed<ContainerRecord>): void {
    const { id, image, layer } = record;
    const subject: Subject = { kind: 'container', id, readOnly: false };
    const findings = checkItems({
      subject,
      names: record.bigDataNames,
      pathOf: (name) => paths.containerItem(id, name),
      sizeOf: (name) => recordedSize(record, name),
    });
    if (image !== '') findings.push(...this.#imageFindings(subject, image));
    if (layer !== '') {
      for (const below of this.#chain(layer)) this.#referenced.add(below);
      findings.push(...this.#containerLayerFindings(subject, layer));
    }
    this.#containers.set(id, findings);
  }

  #imageFindings(subject: Subject, image: string): readonly CheckFinding[] {
    const inherited = this.#images.get(image);
    if (inherited !== undefined) return inherited;
    // The name in front is the image's, as containers/storage has it.
    const missing = finding(
      { ...subject, kind: 'image', id: image },
      'container-image-missing',
      'image missing',
      {
        missing: image,
      },
    );
    return [{ ...missing, object: { kind: subject.kind, id: subject.id } }];
  }

  /** containers/storage does not say that a container suffers from the state of its own layer. */
  #containerLayerFindings(subject: Subject, layer: string): readonly CheckFinding[] {
    const inherited = this.#layers.get(layer);
    if (inherited !== undefined) return inherited.map((each) => ({ ...each, ours: true }));
    const text = `layer ${layer}: layer is missing`;
    return [{ ...finding(subject, 'container-layer-missing', text, { missing: layer }), ours: true }];
  }

  /** A layer and those below it; ends with the first one that is not in the store. */
  #chain(top: string): string[] {
    const chain = new Set<string>();
    for (let id: string | undefined = top; id !== undefined && !chain.has(id); ) {
      chain.add(id);
      id = this.#records.layers.get(id)?.record.parent;
    }
    return [...chain];
  }

  #findUnreferenced(): void {
    const oldest = Date.now() - this.#request.maxUnreferencedLayerAge;
    for (const [id, { record, readOnly }] of this.#records.layers) {
      if (readOnly || this.#referenced.has(id) || !(Date.parse(record.created) < oldest)) continue;
      const text = 'layer not referenced by any images or containers';
      this.#layers.get(id)?.push(finding({ kind: 'layer', id, readOnly }, 'layer-unreferenced', text));
    }
  }

  /** What a container uses is accounted for even if its record is lost: a repair must not take it away. */
  #findUnaccounted(): void {
    for (const id of this.#records.driverLayers) {
      const isKnown = this.#records.layers.get(id)?.readOnly === false || this.#records.accounted.has(id);
      if (isKnown || this.#referenced.has(id)) continue;
      const text = 'layer in lower level storage driver not accounted for';
      this.#layers.set(id, [finding({ kind: 'layer', id, readOnly: false }, 'layer-unaccounted', text)]);
    }
  }
}

function damaged(
  objects: ReadonlyMap<string, readonly CheckFinding[]>,
  select: (id: string) => boolean,
): DamagedObject[] {
  const found: DamagedObject[] = [];
  for (const [id, findings] of objects) if (findings.length > 0 && select(id)) found.push({ id, findings });
  return found;
}
