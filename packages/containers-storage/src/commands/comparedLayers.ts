import type { CommandDefinition } from '../commandLine/commandDefinition.ts';

/** What the commands that compare two layers have in common. */
export const TWO_LAYERS = {
  synopsis: '[options [...]] layerNameOrID [referenceLayerNameOrID]',
  description: 'Compare two layers',
  minArgs: 1,
  maxArgs: 2,
} as const satisfies Partial<CommandDefinition>;

/** The layer, and what it is compared with if not with its parent. */
export function comparedLayers([layer = '', from = '']: readonly string[]): {
  layer: string;
  from: string | undefined;
} {
  return { layer, from: from === '' ? undefined : from };
}
