/**
 * Loading of koffi and binding of C functions. Nothing native is touched before the first call, so that
 * importing this package costs nothing and works on every host.
 */
import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { StorageError } from '@sediment/core';

type Koffi = typeof import('koffi');
type Library = import('koffi').LibraryHandle;

/** System call numbers of functions that older C libraries do not wrap. */
export type SyscallNumber = number | { readonly x64: number; readonly arm64: number };

export interface Binding {
  /** Types as koffi spells them. */
  readonly parameters: readonly string[];
  readonly result?: string;
  /** Called through `syscall(2)` where libc lacks the function, or always with `symbol: false`. */
  readonly syscall?: SyscallNumber;
  readonly symbol?: false;
}

type Loaded = { readonly koffi: Koffi; readonly libc: Library };
type Unavailable = { readonly reason: string };

const SUPPORTED_ARCHITECTURES = ['x64', 'arm64'];

/** A function that no other C library has. Others ignore that a library is to see its own functions first. */
const GLIBC_ONLY = 'gnu_get_libc_version';

let loaded: Loaded | Unavailable | undefined;

/** koffi and the C library of this process, or the reason why there is none. Never throws. */
export function loadNative(): Loaded | Unavailable {
  loaded ??= load();
  return loaded;
}

function load(): Loaded | Unavailable {
  if (process.platform !== 'linux') return { reason: `native calls need Linux, this is ${process.platform}` };
  if (!SUPPORTED_ARCHITECTURES.includes(process.arch) || endianness() !== 'LE') {
    return { reason: `native calls need x86-64 or arm64, this is ${process.arch}` };
  }
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    return { koffi, libc: koffi.load(null) };
  } catch (error) {
    return { reason: `koffi cannot be loaded: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/**
 * koffi and libc for a call that cannot do without.
 *
 * @throws {StorageError} `NATIVE_UNAVAILABLE`
 */
export function requireNative(): Loaded {
  const native = loadNative();
  if ('koffi' in native) return native;
  throw new StorageError('NATIVE_UNAVAILABLE', native.reason, {
    hint: 'install the optional dependencies of koffi for this platform, or use snapshot access, which needs no native code',
  });
}

/**
 * A library of the system, whose calls among its own functions stay inside of it: the names of what the running program
 * exports would otherwise come first. Node.js exports its own zstd, of another version with other structures in memory.
 *
 * @param exported a function of the library; where the C library cannot keep the two apart, a program that exports it is refused
 * @throws {StorageError} `NATIVE_UNAVAILABLE`
 * @throws {Error} koffi's, if there is no such library
 */
export function loadSystemLibrary(name: string, exported: string): Library {
  const { koffi, libc } = requireNative();
  if (!exports(libc, GLIBC_ONLY) && exports(libc, exported)) {
    throw new StorageError('NATIVE_UNAVAILABLE', `this program has functions of ${name} itself`);
  }
  return koffi.load(name, { deep: true });
}

function exports(library: Library, name: string): boolean {
  try {
    library.symbol(name);
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

/** errno of the last native call of this thread; read it before any other native call. */
export function lastErrno(): number {
  return requireNative().koffi.errno();
}

/**
 * A C function that is looked up at its first call. Arguments for `void *` are Buffers or null and are
 * only used during the call.
 */
export function cFunction<A extends unknown[], R = number>(
  name: string,
  binding: Binding,
): (...args: A) => R {
  let bound: ((...args: A) => R) | undefined;
  return (...args) => {
    bound ??= bind<A, R>(name, binding);
    return bound(...args);
  };
}

/** What a call in another thread came to. */
export interface AsyncResult {
  readonly result: number;
  /** Of that call; means something only if it failed. */
  readonly errno: number;
}

/** Like {@link cFunction}, but the call runs in one of libuv's threads while the program goes on. */
export function asyncCFunction<A extends unknown[]>(
  name: string,
  binding: Pick<Binding, 'parameters'>,
): (...args: A) => Promise<AsyncResult> {
  type Callback = (error: Error | null, result: number) => void;
  let bound: { async: (...args: [...A, Callback]) => void } | undefined;
  return async (...args) => {
    const { koffi } = requireNative();
    bound ??= bind(name, binding) as unknown as typeof bound;
    return await new Promise((resolve, reject) => {
      bound?.async(...args, (error, result) => {
        if (error === null) resolve({ result, errno: koffi.errno() });
        else reject(error);
      });
    });
  };
}

function bind<A extends unknown[], R>(name: string, binding: Binding): (...args: A) => R {
  const { libc } = requireNative();
  const { parameters, result = 'int', syscall, symbol } = binding;
  if (symbol !== false) {
    try {
      return libc.func(name, result, [...parameters]) as unknown as (...args: A) => R;
    } catch (error) {
      if (syscall === undefined) throw missingSymbol(name, error);
    }
  }
  const number = typeof syscall === 'object' ? syscall[process.arch as 'x64' | 'arm64'] : syscall;
  const raw = libc.func('syscall', 'long', ['long', ...parameters]);
  return (...args) => raw(number, ...args) as R;
}

function missingSymbol(name: string, cause: unknown): StorageError {
  return new StorageError('NATIVE_UNAVAILABLE', `the C library of this host has no function ${name}`, {
    cause,
    hint: 'use a newer C library (glibc 2.28 or musl 1.2 at least)',
  });
}
