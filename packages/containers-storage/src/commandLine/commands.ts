import { versionCommand } from '../commands/version.ts';
import type { CommandDefinition } from './commandDefinition.ts';

/** All commands, in the order of the general help. */
export const COMMANDS: readonly CommandDefinition[] = [versionCommand];
