import { inUserNamespace } from './inUserNamespace.ts';

/** The variables by which programs of the containers family tell their children who the user is outside. */
const UID_VARIABLE = '_CONTAINERS_ROOTLESS_UID';
const GID_VARIABLE = '_CONTAINERS_ROOTLESS_GID';
const CONFIGURED_VARIABLE = '_CONTAINERS_USERNS_CONFIGURED';

/**
 * Whether this process must be run again with {@link runInUserNamespace} before it can change a store:
 * an ordinary user on Linux, outside of a user namespace of their own.
 */
export function needsUserNamespace(): boolean {
  return process.platform === 'linux' && process.geteuid?.() !== 0;
}

/** Whether this process is root of a user namespace that was made for a rootless user, by whichever program. */
export function hasUserNamespace(env: NodeJS.ProcessEnv = process.env): boolean {
  return process.geteuid?.() === 0 && rootlessUid(env) > 0 && inUserNamespace();
}

/** The uid, outside of all namespaces, of the user who runs this process. */
export function rootlessUid(env: NodeJS.ProcessEnv = process.env): number {
  return numberIn(env[UID_VARIABLE]) ?? process.getuid?.() ?? 0;
}

/** Whether a program of the containers family has put this process into its namespace. */
export function isMarkedConfigured(env: NodeJS.ProcessEnv): boolean {
  return (env[CONFIGURED_VARIABLE] ?? '') !== '';
}

/**
 * What programs in the namespace must find in their environment, so that they know the user, look at
 * the user's own store, and do not make a namespace inside of it.
 */
export function namespaceVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    [CONFIGURED_VARIABLE]: 'done',
    [UID_VARIABLE]: String(rootlessUid(env)),
    [GID_VARIABLE]: String(numberIn(env[GID_VARIABLE]) ?? process.getgid?.() ?? 0),
    // How buildah must run programs there.
    BUILDAH_ISOLATION: env.BUILDAH_ISOLATION ?? 'rootless',
  };
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
