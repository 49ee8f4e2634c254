import { Command } from 'commander';
import { blobsCommand } from '../commands/blobs/blobsCommand.ts';
import { checkCommand } from '../commands/check.ts';
import { containersCommand } from '../commands/containers.ts';
import { copyCommand } from '../commands/copy.ts';
import { createCommand } from '../commands/create.ts';
import { dedupCommand } from '../commands/dedup.ts';
import { exportCommand } from '../commands/export.ts';
import { gcCommand } from '../commands/gc.ts';
import { imagesCommand } from '../commands/images.ts';
import { importCommand } from '../commands/import.ts';
import { infoCommand } from '../commands/info.ts';
import { inspectCommand } from '../commands/inspect.ts';
import { layersCommand } from '../commands/layers.ts';
import { mountCommand } from '../commands/mount.ts';
import { rmCommand } from '../commands/rm.ts';
import { rmiCommand } from '../commands/rmi.ts';
import { tagCommand } from '../commands/tag.ts';
import { unmountCommand } from '../commands/unmount.ts';
import { unshareCommand } from '../commands/unshare.ts';
import { untagCommand } from '../commands/untag.ts';
import { versionCommand } from '../commands/version.ts';
import { wipeCommand } from '../commands/wipe.ts';
import type { Terminal } from '../output/terminal.ts';
import { readVersion } from '../version.ts';
import { enterUserNamespace } from './enterUserNamespace.ts';
import { addGlobalOptions } from './globalOptions.ts';

const COMMANDS = [
  importCommand,
  exportCommand,
  copyCommand,
  imagesCommand,
  layersCommand,
  containersCommand,
  inspectCommand,
  createCommand,
  mountCommand,
  unmountCommand,
  rmCommand,
  rmiCommand,
  tagCommand,
  untagCommand,
  blobsCommand,
  checkCommand,
  dedupCommand,
  gcCommand,
  wipeCommand,
  infoCommand,
  unshareCommand,
  versionCommand,
];

/** The whole command line. Parsing it throws instead of ending the process. */
export function createProgram(terminal: Terminal): Command {
  const program = addGlobalOptions(new Command('sediment'))
    .description('A local store of container images, shared with podman, buildah and skopeo')
    .version(readVersion(), '--version', 'print the version')
    .helpCommand('help [command]', 'show the help of a command')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => terminal.print(text),
      writeErr: (text) => terminal.remark(text.replace(/\n$/, '')),
      // reported together with a hint by the caller
      outputError: () => undefined,
    })
    .exitOverride()
    .hook('preAction', async (_program, command) => await enterUserNamespace(command, terminal))
    .addHelpText('after', '\nExample:\n  $ sediment import app.tar && sediment images');
  for (const create of COMMANDS) {
    program.addCommand(inherit(create(terminal), program));
  }
  return program;
}

/** Errors of groups' commands, too, are thrown. */
function inherit(command: Command, program: Command): Command {
  for (const each of command.commands) inherit(each, program);
  return command.copyInheritedSettings(program);
}
