// Runs a program of this project: `launch.mjs <file.ts> [args]`, or a command of one of its dependencies:
// `launch.mjs --bin <name> [args]`. It installs the dependencies when they are not what the lockfile says, and goes on
// under the Node.js that comes with them. Plain JavaScript for any Node.js from 18 on: nothing is installed yet.
//
// Programs are imported, so `import.meta.main` is false in them; `process.argv` is as usual.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, closeSync, constants, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { constants as osConstants, homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const launcher = fileURLToPath(import.meta.url);
const root = resolve(dirname(launcher), '../..');
const modules = join(root, 'node_modules');
const bundledNode = join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node');
const oldestNode = 24;
/** The descriptor by which the processes of an installation know the lock. */
const lockInChild = 3;
/** Signals during an installation that are no further apart than this are one. */
const oneSignalMs = 1_000;
/** Tells a launcher that it was started by another one, which looked after the dependencies. */
const parentVariable = 'FORMWIRE_LAUNCHER_PID';

const [target, ...targetArgs] = process.argv.slice(2);
if (target === undefined) fail('usage: launch.mjs <file.ts> [args] or launch.mjs --bin <name> [args]');
else await launch();

async function launch() {
  const parent = Number(process.env[parentVariable] ?? 0);
  delete process.env[parentVariable];
  endWithParent(parent);
  if (!parent) {
    await ensureInstalled(target === '--bin');
    const node = chooseNode();
    if (!isThisNode(node)) return runUnder(node);
  }
  const [file, ...args] = target === '--bin' ? [commandFile(targetArgs[0] ?? ''), ...targetArgs.slice(1)] : [resolve(target), ...targetArgs];
  process.argv = [process.execPath, file, ...args];
  await import(pathToFileURL(file).href);
}

// --- dependencies ---

/**
 * Whether node_modules holds what the lockfile says. npm writes its own lockfile into node_modules last, so an install
 * that was interrupted does not look complete. Optional packages may be missing: those for other platforms are.
 */
function isInstalled(withDev) {
  const installed = readPackages(join(modules, '.package-lock.json'));
  const wanted = readPackages(join(root, 'package-lock.json'));
  return Object.entries(wanted).every(([path, { version, optional, devOptional, dev }]) => {
    const found = installed[path];
    if (path === '' || found?.version === version) return true;
    return found === undefined && (optional || devOptional || (dev && !withDev)) && Object.keys(installed).length > 0;
  });
}

function readPackages(lockfile) {
  try {
    return JSON.parse(readFileSync(lockfile, 'utf8')).packages ?? {};
  } catch {
    return {};
  }
}

/**
 * One installs, others that start at the same time wait for it. The kernel holds the lock on the project's directory
 * for as long as a process has it open: npm gets it too, so one that outlives a killed launcher is waited for. Where
 * there is no flock(1), as on macOS, first starts must not be simultaneous.
 */
async function ensureInstalled(withDev) {
  if (isInstalled(withDev)) return;
  const lock = openSync(root, 'r');
  const code = (await waitForLock(lock)) || (isInstalled(withDev) ? 0 : await runNpm(withDev, lock));
  closeSync(lock);
  if (code !== 0) process.exit(code);
}

async function waitForLock(lock) {
  if (spawnSync('flock', ['--version']).status !== 0) return 0;
  return runInstallStep(['flock', String(lockInChild)], lock, process.env);
}

async function runNpm(withDev, lock) {
  process.stderr.write('Installing dependencies (npm ci) …\n');
  const cache = fallbackCache();
  const include = ['--include=optional', ...(withDev ? ['--include=dev'] : [])];
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  const env = { ...process.env, PATH: pathWithoutModules(), ...(cache ? { npm_config_cache: cache } : {}) };
  try {
    const sayStopping = () => process.stderr.write('Stopping the install …\n');
    return await runInstallStep([...npmCommand(), 'ci', ...include, ...quiet], lock, env, sayStopping);
  } catch (error) {
    process.stderr.write(`npm does not run: ${error.message}\n`);
    return 1;
  } finally {
    if (cache) rmSync(cache, { recursive: true, force: true });
  }
}

/**
 * Runs a command with the lock; its exit code, or that of the signal that stopped it, even if it was about to succeed.
 * It is in a process group of its own, so that it gets a signal from us only, and once: npm takes a first one as a
 * request, and ends when it has undone its work, which takes half a minute; one that comes later ends it at once.
 * The kernel tells it to end when we were killed, where setpriv(1) can ask for that.
 */
async function runInstallStep(commandLine, lock, env, onStop = () => {}) {
  const endWithUs = ['setpriv', '--pdeathsig', 'TERM'];
  const canEndWithUs = spawnSync(endWithUs[0], [...endWithUs.slice(1), 'true']).status === 0;
  const [command, ...args] = canEndWithUs ? [...endWithUs, ...commandLine] : commandLine;
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'ignore', 2, lock], detached: true });
  let stoppedBy;
  let passedOnAt = -Infinity;
  const code = await runForwarding(child, (signal) => {
    // Ctrl-C in a terminal reaches us directly and from the npm that started us.
    if (performance.now() - passedOnAt < oneSignalMs) return;
    passedOnAt = performance.now();
    if (!stoppedBy) onStop();
    stoppedBy ??= signal;
    process.kill(-child.pid, signal);
  });
  return stoppedBy ? exitCodeOf(stoppedBy) : code;
}

/** The npm that started us, under its own Node.js: `node` on the PATH may be the one that npm is about to replace. */
function npmCommand() {
  const { npm_execpath: npm = '', npm_node_execpath: node = '' } = process.env;
  return npm.endsWith('npm-cli.js') && existsSync(node) && !node.startsWith(modules) ? [node, npm] : ['npm'];
}

function pathWithoutModules() {
  return (process.env.PATH ?? '').split(':').filter((dir) => !dir.startsWith(modules)).join(':');
}

/** A throw-away cache where npm could not write its own: with a home directory that is read-only or not there. */
function fallbackCache() {
  const usual = process.env.npm_config_cache ?? join(homedir(), '.npm');
  try {
    mkdirSync(usual, { recursive: true });
    accessSync(usual, constants.W_OK);
    return undefined;
  } catch {
    return mkdtempSync(join(tmpdir(), 'formwire-npm-'));
  }
}

// --- the program ---

/** The Node.js that npm installed, whose version is pinned; or this one, where there is none for this platform. */
function chooseNode() {
  if (existsSync(bundledNode) && (isThisNode(bundledNode) || spawnSync(bundledNode, ['--version']).status === 0)) return bundledNode;
  if (Number(process.versions.node.split('.')[0]) >= oldestNode) return process.execPath;
  return fail(`Node.js ${oldestNode} or newer is needed, this is ${process.versions.node}, and none is bundled for ${process.platform} on ${process.arch}.`);
}

function isThisNode(node) {
  return existsSync(process.execPath) && realpathSync(node) === realpathSync(process.execPath);
}

async function runUnder(node) {
  const env = { ...process.env, [parentVariable]: String(process.pid) };
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit', env });
  process.exitCode = await runForwarding(child, (signal) => process.kill(child.pid, signal));
}

/**
 * Waits for a child, passing signals on to it; its exit code, or 128 + the signal that ended it, as a shell has it.
 * Ctrl-C in a terminal reaches the program by this way and directly: programs take repeated signals as one.
 */
async function runForwarding(child, passOn) {
  const forward = (signal) => {
    try {
      passOn(signal);
    } catch {
      // It has just ended.
    }
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  const [code, signal] = await once(child, 'exit');
  for (const name of signals) process.off(name, forward);
  return code ?? exitCodeOf(signal);
}

function exitCodeOf(signal) {
  return 128 + (osConstants.signals[signal] ?? 0);
}

/**
 * Ends this process in an orderly way when the launcher or the npm that started it is gone, as after a kill that
 * neither could pass on. Other parents may go: a shell that started us in the background.
 */
function endWithParent(launcherPid) {
  const parent = launcherPid || (process.env.npm_lifecycle_event ? process.ppid : 0);
  if (!parent) return;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 250);
  timer.unref();
}

/** The script behind a command of a dependency, found without the links in `.bin`, which belong to a shell. */
function commandFile(name) {
  const packageName = { tsc: 'typescript' }[name] ?? name;
  const { bin } = JSON.parse(readFileSync(join(modules, packageName, 'package.json'), 'utf8'));
  return join(modules, packageName, typeof bin === 'string' ? bin : bin[name]);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
