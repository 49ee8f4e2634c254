import { digestOf } from '@sediment/core';
import type { OpenBytes } from '@sediment/storage';
import { DOCKER_LAYER } from '../documents/mediaTypes.ts';
import type { SourceBlob } from './imageSource.ts';

/** A compressed tar of nothing but its end blocks: the bytes that Docker gives to every empty layer. */
const BYTES = Buffer.from('H4sIAAAJbogA/2IYBaNgFIxYAAgAAP//Lq+17wAEAAA=', 'base64');

const open: OpenBytes = async function* read() {
  yield Buffer.from(BYTES);
};

/** The layer that manifests of schema 1 name for steps that changed no file, 32 bytes. */
export const EMPTY_LAYER: SourceBlob = {
  mediaType: DOCKER_LAYER,
  digest: digestOf(BYTES),
  size: BYTES.length,
  open,
};
