import { execFile } from 'node:child_process';
import { accessSync, chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const toolsDir = path.resolve(import.meta.dirname, '../../.tools');
const workPrefix = 'fetching-';

/** Debian's stable release 13 has nats-server 2.10, which also runs on release 12, whose own is older. */
const suite = 'trixie';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const stepLimitMs = 120_000;

/** Where a fetched nats-server is kept: in the project, which outlives data directories. */
export const fetchedBinary = path.join(toolsDir, 'nats-server');

/**
 * Fetches nats-server from the distribution's signed package into the project; nothing is installed system-wide and no
 * root is needed. Safe to call from several processes: each works in a folder of its own and puts the result in place
 * at once. Returns the binary's path; throws one sentence that says what to do instead when it is impossible.
 */
export async function fetchNatsServer(): Promise<string> {
  try {
    return await fetchPackage();
  } catch (cause) {
    const reason = cause instanceof Error ? lastLine(cause) : String(cause);
    throw new Error(
      'There is no nats-server here and it cannot be fetched '
      + `(${reason}): install nats-server 2.9 or newer, set FORMWIRE_NATS_SERVER to its path, or set NATS_URL to a server of your own.`,
      { cause },
    );
  }
}

async function fetchPackage(): Promise<string> {
  if (!existsSync(keyring)) throw new Error('this is not Debian');
  mkdirSync(toolsDir, { recursive: true });
  removeAbandoned();
  const work = mkdtempSync(path.join(toolsDir, workPrefix));
  try {
    const options = aptOptions(work, await configuredMirror());
    await run('apt-get', [...options, 'update'], { cwd: work, timeout: stepLimitMs });
    await run('apt-get', [...options, 'download', 'nats-server'], { cwd: work, timeout: stepLimitMs });
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('the package did not arrive');
    await run('dpkg-deb', ['--extract', archive, 'extracted'], { cwd: work, timeout: stepLimitMs });
    putInPlace(path.join(work, 'extracted/usr/sbin/nats-server'), work);
    return fetchedBinary;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The mirror that this system uses for its own packages; the one for security updates has no others. */
async function configuredMirror(): Promise<string> {
  const format = ['--format', '$(REPO_URI)', 'Created-By: Packages', 'Component: main'];
  const { stdout } = await run('apt-get', ['indextargets', ...format], { timeout: stepLimitMs });
  const mirror = stdout.split('\n').find((line) => line !== '' && !line.includes('security'));
  if (mirror === undefined) throw new Error('the system has no Debian mirror configured');
  return mirror;
}

/** Makes apt work in a folder of its own, with the system's proxies and mirrors but not its lists and caches. */
function aptOptions(work: string, mirror: string): string[] {
  for (const dir of ['lists/partial', 'cache/archives/partial']) mkdirSync(path.join(work, dir), { recursive: true });
  const sources = path.join(work, 'debian.sources');
  writeFileSync(sources, `Types: deb\nURIs: ${mirror}\nSuites: ${suite}\nComponents: main\nSigned-By: ${keyring}\n`);
  const settings = [
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::State::lists=${work}/lists`,
    `Dir::Cache=${work}/cache`,
    'APT::Sandbox::User=', // as root, apt would change to a user who may not enter here
    'APT::Update::Error-Mode=any', // otherwise an unreachable mirror is a warning
    'Acquire::Languages=none',
    'Acquire::http::Timeout=15',
    'Acquire::https::Timeout=15',
    'Acquire::Retries=1',
  ];
  return ['-q', ...settings.flatMap((setting) => ['-o', setting])];
}

function putInPlace(binary: string, work: string): void {
  const complete = path.join(work, 'nats-server');
  copyFileSync(binary, complete);
  chmodSync(complete, 0o755);
  accessSync(complete);
  renameSync(complete, fetchedBinary); // a running server keeps the file that it was started from
}

/** What a killed fetch left behind; a fetch that still runs is younger than its own time limits. */
function removeAbandoned(): void {
  for (const name of readdirSync(toolsDir).filter((entry) => entry.startsWith(workPrefix))) {
    const work = path.join(toolsDir, name);
    const age = Date.now() - (statSync(work, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 5 * stepLimitMs) rmSync(work, { recursive: true, force: true });
  }
}

/** apt explains itself in its last line. */
function lastLine(error: Error): string {
  const said = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : '';
  return (said || error.message).split('\n').at(-1) ?? '';
}
